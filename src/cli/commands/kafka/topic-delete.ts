import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { deleteEach } from './delete-each.ts'

interface Options {
  force?: boolean
}

export function define(command: Command): void {
  command
    .argument('<topics...>', 'the topics')
    .option('--force', 'do not ask')
    .action(async (names: string[], { force = false }: Options) => {
      await using context = openContext(command)
      const { topics } = context.client.kafka
      const find = (name: string) => topics.get(name)
      await deleteEach(context, { kind: 'topic', names, force, find, remove: (name) => topics.delete(name) })
    })
}
