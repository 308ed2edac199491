/** Each asks the program itself for what could stand there: `linkspan complete LINE`. */
export const scripts = {
  bash: `_linkspan() {
  local line=\${COMP_LINE:0:COMP_POINT} answer word
  local current=\${line##*[[:space:]]}
  # Bash takes a colon or an equals sign for the end of a word, and wants only what follows it.
  local prefix=\${current%"\${current##*[:=]}"}
  COMPREPLY=()
  answer=$(linkspan complete "$line" 2>/dev/null)
  if [[ $answer == :files ]]; then compopt -o default; return; fi
  while IFS=$'\\t' read -r word _; do
    if [[ $word ]]; then COMPREPLY+=("\${word#"$prefix"}"); fi
  done <<<"$answer"
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *[:=/] ]]; then compopt -o nospace; fi
}
complete -F _linkspan linkspan`,
  zsh: `#compdef linkspan
_linkspan() {
  local line="\${(j: :)words[1,CURRENT]}" answer entry
  local -a names shown
  answer=$(linkspan complete "$line" 2>/dev/null)
  if [[ $answer == :files ]]; then _files; return; fi
  for entry in \${(f)answer}; do
    names+=("\${entry%%$'\\t'*}")
    shown+=("\${entry/$'\\t'/  }")
  done
  compadd -l -d shown -a names
}
if [[ $funcstack[1] == _linkspan ]]; then _linkspan; else compdef _linkspan linkspan; fi`,
  fish: `function __linkspan_complete
  set -l answer (linkspan complete (commandline -cp | string collect) 2>/dev/null)
  if test "$answer" = :files
    __fish_complete_path (commandline -ct)
  else
    printf '%s\\n' $answer
  end
end
complete -c linkspan -f -a '(__linkspan_complete)'`,
} as const

export type Shell = keyof typeof scripts
