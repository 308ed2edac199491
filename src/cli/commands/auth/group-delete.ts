import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'

export function define(command: Command): void {
  command.argument('<group>', 'the group').action(async (name: string) => {
    const { remote, name: group } = parseName(name, 'group')
    await using context = openContext(command, remote)
    await context.client.groups.delete(group)
    context.say(`Group ${group} deleted`)
  })
}
