import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'

export function define(command: Command): void {
  command.argument('<id>', 'the operation').action(async (text: string) => {
    const { remote, name: id } = parseName(text, 'operation')
    await using context = openContext(command, remote)
    await context.client.operations.cancel(id)
    context.say(`Operation ${id} deleted`)
  })
}
