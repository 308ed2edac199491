import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { localName } from '../../names.ts'
import { addShowFormat, type FormatOptions } from '../../render/format.ts'
import { printObject } from '../../render/list.ts'

export function define(command: Command): void {
  addShowFormat(command)
    .argument('<name>', 'the link')
    .action(async (name: string, options: FormatOptions) => {
      await using context = openContext(command)
      const { value } = await context.client.clusterLinks.get(localName(name, 'link'))
      await printObject(context, options, value)
    })
}
