import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { localName } from '../../names.ts'

interface Options {
  description?: string
}

export function define(command: Command): void {
  command
    .argument('<group>', 'the new group')
    .option('-d, --description <text>', 'description of the group')
    .action(async (name: string, { description = '' }: Options) => {
      await using context = openContext(command)
      const group = localName(name, 'group')
      await context.client.groups.create({ name: group, description, permissions: [] })
      context.say(`Group ${group} created`)
    })
}
