import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'

export function define(command: Command): void {
  command.argument('<operation>', 'its id').action(async (text: string) => {
    const { remote, name: id } = parseName(text, 'operation')
    await using context = openContext(command, remote)
    await context.client.operations.cancel(id)
    context.say(`Operation ${id} deleted`)
  })
}
