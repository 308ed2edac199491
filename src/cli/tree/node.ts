import type { Command } from 'commander'

/** Adds the arguments, the options and the action of one command. */
export interface CommandModule {
  define: (command: Command) => void
}

export interface CommandLeaf {
  summary: string
  aliases?: string[]
  load: () => Promise<CommandModule>
}

export interface CommandGroup {
  summary: string
  aliases?: string[]
  commands: Record<string, CommandNode>
}

export type CommandNode = CommandLeaf | CommandGroup

export function isGroup(node: CommandNode): node is CommandGroup {
  return 'commands' in node
}
