import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { addShowFormat, type FormatOptions } from '../../render/format.ts'
import { printObject } from '../../render/list.ts'

export function define(command: Command): void {
  addShowFormat(command)
    .argument('<link>', 'the link')
    .action(async (name: string, options: FormatOptions) => {
      const { remote, name: link } = parseName(name, 'link')
      await using context = openContext(command, remote)
      const { value } = await context.client.clusterLinks.get(link)
      await printObject(context, options, value)
    })
}
