import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { localName } from '../../names.ts'

export function define(command: Command): void {
  command.argument('<id>', 'the operation').action(async (text: string) => {
    await using context = openContext(command)
    const id = localName(text, 'operation')
    await context.client.operations.cancel(id)
    context.say(`Operation ${id} deleted`)
  })
}
