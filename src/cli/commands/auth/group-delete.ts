import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { localName } from '../../names.ts'

export function define(command: Command): void {
  command.argument('<group>', 'the group').action(async (name: string) => {
    await using context = openContext(command)
    const group = localName(name, 'group')
    await context.client.groups.delete(group)
    context.say(`Group ${group} deleted`)
  })
}
