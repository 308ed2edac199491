import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'

export function define(command: Command): void {
  command
    .argument('<link>', 'the link')
    .argument('<new-name>', 'what it is called from now on, on this side')
    .action(async (name: string, newName: string) => {
      const { remote, name: link } = parseName(name, 'link')
      await using context = openContext(command, remote)
      await context.client.clusterLinks.rename(link, newName)
      context.say(`Cluster link ${link} renamed to ${newName}`)
    })
}
