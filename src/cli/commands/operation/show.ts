import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { addShowFormat, type FormatOptions } from '../../render/format.ts'
import { printObject } from '../../render/list.ts'

export function define(command: Command): void {
  addShowFormat(command)
    .argument('<operation>', 'its id')
    .action(async (text: string, options: FormatOptions) => {
      const { remote, name: id } = parseName(text, 'operation')
      await using context = openContext(command, remote)
      await printObject(context, options, await context.client.operations.get(id))
    })
}
