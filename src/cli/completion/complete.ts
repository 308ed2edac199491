import { Command, type Option } from 'commander'
import { addGlobalOptions, type GlobalOptions } from '../global-options.ts'
import { parseRemoteName } from '../names.ts'
import { type CommandNode, type CommandTree, isGroup } from '../tree/node.ts'
import { namesOf } from './names.ts'

export interface Candidate {
  word: string
  summary?: string
}

/** Instead of candidates: the names of files, which the shell knows. */
export const files = 'files'

const candidatesMax = 500

/** What could stand for the last, unfinished word of a command line that begins with the program's name. */
export async function complete(tree: CommandTree, line: string): Promise<Candidate[] | typeof files> {
  const words = line.trimStart().split(/\s+/)
  const current = words.pop() ?? ''
  const found = await candidatesFor(tree, words.slice(1), current)
  if (found === files) return files
  const fitting = found.filter(({ word }) => word.startsWith(current) && !/[\s\p{C}'"\\$`]/u.test(word))
  const unique = new Map(fitting.map((candidate) => [candidate.word, candidate]))
  const { compare } = new Intl.Collator('en', { numeric: true })
  return [...unique.values()].toSorted((one, other) => compare(one.word, other.word)).slice(0, candidatesMax)
}

/** Goes down the tree word by word; global options may stand anywhere. */
async function candidatesFor(
  tree: CommandTree,
  words: readonly string[],
  current: string,
): Promise<Candidate[] | typeof files> {
  const program = addGlobalOptions(new Command())
  let nodes = tree
  const before: string[] = []
  for (const [index, word] of words.entries()) {
    const isValue = valueOption(program, before.at(-1)) !== undefined
    if (word.startsWith('-') || isValue) {
      before.push(word)
      continue
    }
    const node = findNode(nodes, word)
    if (!node) return []
    if (isGroup(node)) nodes = node.commands
    else {
      ;(await node.load()).define(program, tree)
      return ofLeaf(program, [...before, ...words.slice(index + 1)], current)
    }
  }
  const option = valueOption(program, before.at(-1))
  if (option) return valuesOf(option, { current, prefix: '', positionals: [], globals: {} })
  if (current.startsWith('-')) return flagsOf(program)
  return Object.entries(nodes).flatMap(([word, { summary, hidden }]) => (hidden ? [] : [{ word, summary }]))
}

function findNode(nodes: CommandTree, word: string): CommandNode | undefined {
  if (Object.hasOwn(nodes, word)) return nodes[word]
  return Object.values(nodes).find(({ aliases }) => aliases?.includes(word))
}

/** The option that the word is, if its value comes as the next one. */
function valueOption(command: Command, word: string | undefined): Option | undefined {
  if (!word?.startsWith('-') || word.includes('=')) return undefined
  const option = command.options.find((each) => each.long === word || each.short === word)
  return option?.required || option?.optional ? option : undefined
}

async function ofLeaf(command: Command, words: string[], current: string): Promise<Candidate[] | typeof files> {
  const positionals: string[] = []
  const globals: GlobalOptions = {}
  let awaiting: Option | undefined
  for (const word of words) {
    if (awaiting) {
      if (awaiting.long === '--remote') globals.remote = word
      if (awaiting.long === '--state-dir') globals.stateDir = word
      awaiting = undefined
    } else if (word.startsWith('-') && word.length > 1) awaiting = valueOption(command, word)
    else positionals.push(word)
  }
  if (awaiting) return valuesOf(awaiting, { current, prefix: '', positionals, globals })
  const [whole, long = ''] = /^(--[a-z-]+)=/.exec(current) ?? []
  const assigned = command.options.find((option) => option.long === long)
  if (whole && assigned) return valuesOf(assigned, { current, prefix: whole, positionals, globals })
  if (current.startsWith('-')) return flagsOf(command)
  const all = command.registeredArguments
  const argument = all[positionals.length] ?? (all.at(-1)?.variadic ? all.at(-1) : undefined)
  if (!argument) return []
  if (argument.argChoices) return argument.argChoices.map((word) => ({ word }))
  return named(argument.name(), { current, prefix: '', positionals, globals })
}

function flagsOf(command: Command): Candidate[] {
  const shown = command.options.filter(({ hidden }) => !hidden)
  return [...shown.map(({ long, description }) => ({ word: long ?? '', summary: description })), { word: '--help' }]
}

interface Asked {
  current: string
  /** Of the word, before the value: `--option=`. */
  prefix: string
  positionals: string[]
  globals: GlobalOptions
}

async function valuesOf(option: Option, asked: Asked): Promise<Candidate[] | typeof files> {
  if (option.argChoices) return option.argChoices.map((choice) => ({ word: `${asked.prefix}${choice}` }))
  return named(/<([^>]+)>/.exec(option.flags)?.[1] ?? '', asked)
}

/** By the placeholder of the argument or option, which says of what kind the name is. */
async function named(placeholder: string, asked: Asked): Promise<Candidate[] | typeof files> {
  const { current, prefix, positionals, globals } = asked
  if (placeholder === 'file' || placeholder === 'dir' || placeholder === 'certificate') return files
  const [first] = positionals
  const typed = current.slice(prefix.length)
  const isFirst = prefix === '' && positionals.length === 0
  // Only a command's first name can have a remote; what follows is at the same one.
  const { remote } = parseRemoteName(isFirst ? typed : (first ?? ''))
  const found = await namesOf(placeholder, { remote, isFirst, positionals, globals })
  return found.map((name) => ({ word: `${prefix}${name}` }))
}
