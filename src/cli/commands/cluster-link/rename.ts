import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { localName } from '../../names.ts'

export function define(command: Command): void {
  command
    .argument('<name>', 'the link')
    .argument('<new-name>', 'what it is called from now on, on this side')
    .action(async (name: string, newName: string) => {
      await using context = openContext(command)
      const link = localName(name, 'link')
      await context.client.clusterLinks.rename(link, newName)
      context.say(`Cluster link ${link} renamed to ${newName}`)
    })
}
