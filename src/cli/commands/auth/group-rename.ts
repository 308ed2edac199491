import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'

export function define(command: Command): void {
  command
    .argument('<group>', 'the group')
    .argument('<new-name>', 'what it is called from now on')
    .action(async (name: string, newName: string) => {
      const { remote, name: group } = parseName(name, 'group')
      await using context = openContext(command, remote)
      await context.client.groups.rename(group, newName)
      context.say(`Group ${group} renamed to ${newName}`)
    })
}
