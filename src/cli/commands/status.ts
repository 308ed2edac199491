import type { Command } from 'commander'
import { openContext } from '../context.ts'
import { parseRemote } from '../names.ts'
import { addListFormat, type FormatOptions, formatOf } from '../render/format.ts'
import { printObject } from '../render/list.ts'
import { gatherStatus } from '../status/gather.ts'
import { statusText } from '../status/text.ts'

export function define(command: Command): void {
  addListFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .action(async (remote: string | undefined, options: FormatOptions) => {
      await using context = openContext(command, parseRemote(remote))
      const report = await gatherStatus(context.client)
      const format = formatOf(options, 'table')
      if (format === 'json' || format === 'yaml') return printObject(context, options, report)
      context.print(statusText(report, format))
    })
}
