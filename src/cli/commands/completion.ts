import { Argument, type Command } from 'commander'
import { type Shell, scripts } from '../completion/scripts.ts'
import { openContext } from '../context.ts'

export function define(command: Command): void {
  command
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(scripts)))
    .addHelpText('after', help)
    .action(async (shell: Shell) => {
      await using context = openContext(command)
      context.print(scripts[shell])
    })
}

const help = `
Names of links, groups, identities, topics and remotes are asked of the daemon; without one there are none.`
