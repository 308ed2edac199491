import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseRemote } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { printRecords } from '../../render/list.ts'
import { topicColumns, topicRow } from './topic-rows.ts'

export function define(command: Command): void {
  addListFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .action(async (remote: string | undefined, options: FormatOptions) => {
      await using context = openContext(command, parseRemote(remote))
      const rows = (await context.client.kafka.topics.list()).map(topicRow)
      await printRecords(context, options, {
        columns: topicColumns,
        rows: rows.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
      })
    })
}
