import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'

interface Options {
  description?: string
}

export function define(command: Command): void {
  command
    .argument('<new-group>', 'the new group')
    .option('-d, --description <text>', 'description of the group')
    .action(async (name: string, { description = '' }: Options) => {
      const { remote, name: group } = parseName(name, 'group')
      await using context = openContext(command, remote)
      await context.client.groups.create({ name: group, description, permissions: [] })
      context.say(`Group ${group} created`)
    })
}
