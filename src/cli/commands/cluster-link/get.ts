import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { linkProperty } from './form.ts'

interface Options {
  property?: boolean
}

export function define(command: Command): void {
  command
    .argument('<link>', 'the link')
    .argument('<key>', 'the config key')
    .option('-p, --property', 'the key is a property of the link, such as description')
    .action(async (name: string, key: string, { property }: Options) => {
      const readProperty = property ? linkProperty(key) : undefined
      const { remote, name: link } = parseName(name, 'link')
      await using context = openContext(command, remote)
      const { value } = await context.client.clusterLinks.get(link)
      context.print(readProperty ? value[readProperty] : (value.config[key] ?? ''))
    })
}
