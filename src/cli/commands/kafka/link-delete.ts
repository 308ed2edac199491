import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseNames } from '../../names.ts'
import { deleteEach } from './delete-each.ts'

interface Options {
  force?: boolean
  failover?: boolean
}

export function define(command: Command): void {
  command
    .argument('<links...>', 'the links')
    .option('--force', 'do not ask')
    .option('--failover', 'fail their mirror topics over first, if they have any')
    .action(async (texts: string[], { force = false, failover = false }: Options) => {
      const { remote, names } = parseNames(texts)
      await using context = openContext(command, remote)
      const { links } = context.client.kafka
      await deleteEach(context, {
        kind: 'cluster link',
        names,
        force,
        find: (name) => links.get(name),
        remove: (name) => links.delete(name, { force: failover }),
      })
    })
}
