import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseNames } from '../../names.ts'
import { deleteEach } from './delete-each.ts'

interface Options {
  force?: boolean
}

export function define(command: Command): void {
  command
    .argument('<topics...>', 'the topics')
    .option('--force', 'do not ask')
    .action(async (texts: string[], { force = false }: Options) => {
      const { remote, names } = parseNames(texts)
      await using context = openContext(command, remote)
      const { topics } = context.client.kafka
      const find = (name: string) => topics.get(name)
      await deleteEach(context, { kind: 'topic', names, force, find, remove: (name) => topics.delete(name) })
    })
}
