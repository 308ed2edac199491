import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'

interface Options {
  force?: boolean
}

export function define(command: Command): void {
  command
    .argument('<link>', 'the link')
    .option('--force', 'fail its mirror topics over first, if it has any')
    .action(async (name: string, { force = false }: Options) => {
      const { remote, name: link } = parseName(name, 'link')
      await using context = openContext(command, remote)
      await context.client.clusterLinks.delete(link, { force })
      context.say(`Cluster link ${link} deleted`)
    })
}
