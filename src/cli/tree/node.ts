import type { Command } from 'commander'

export type CommandTree = Record<string, CommandNode>

/** Adds the arguments, the options and the action of one command; `tree` is all that there are. */
export interface CommandModule {
  define: (command: Command, tree: CommandTree) => void
}

export interface CommandLeaf {
  summary: string
  /** Command lines as a person would type them; help shows them. */
  example: string | readonly string[]
  aliases?: string[]
  /** For programs, not for people: help does not list it. */
  hidden?: true
  load: () => Promise<CommandModule>
}

export interface CommandGroup {
  summary: string
  aliases?: string[]
  hidden?: never
  commands: CommandTree
}

export type CommandNode = CommandLeaf | CommandGroup

export function isGroup(node: CommandNode): node is CommandGroup {
  return 'commands' in node
}
