import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { localName } from '../../names.ts'
import { addShowFormat, type FormatOptions } from '../../render/format.ts'
import { printObject } from '../../render/list.ts'

export function define(command: Command): void {
  addShowFormat(command)
    .argument('<id>', 'the operation')
    .action(async (id: string, options: FormatOptions) => {
      await using context = openContext(command)
      await printObject(context, options, await context.client.operations.get(localName(id, 'operation')))
    })
}
