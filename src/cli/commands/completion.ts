import { Argument, type Command } from 'commander'
import { type Shell, scripts } from '../completion/scripts.ts'
import { openContext } from '../context.ts'

export function define(command: Command): void {
  command
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(scripts)))
    .addHelpText('after', examples)
    .action(async (shell: Shell) => {
      await using context = openContext(command)
      context.print(scripts[shell])
    })
}

const examples = `
Names of links, groups, identities, topics and remotes are asked of the daemon; without one there are none.

Examples:
  source <(linkspan completion bash)
  linkspan completion zsh > "\${fpath[1]}/_linkspan"
  linkspan completion fish > ~/.config/fish/completions/linkspan.fish`
