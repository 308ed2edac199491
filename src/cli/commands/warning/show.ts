import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { addShowFormat, type FormatOptions } from '../../render/format.ts'
import { printObject } from '../../render/list.ts'

export function define(command: Command): void {
  addShowFormat(command)
    .argument('<warning>', 'its UUID')
    .action(async (text: string, options: FormatOptions) => {
      const { remote, name: uuid } = parseName(text, 'warning')
      await using context = openContext(command, remote)
      await printObject(context, options, await context.client.warnings.get(uuid))
    })
}
