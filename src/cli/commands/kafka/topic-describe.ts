import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { printRecord } from '../../render/list.ts'
import { topicColumns, topicRow } from './topic-rows.ts'

export function define(command: Command): void {
  addListFormat(command)
    .argument('<topic>', 'the topic')
    .action(async (name: string, options: FormatOptions) => {
      await using context = openContext(command)
      const row = topicRow(await context.client.kafka.topics.get(name))
      await printRecord(context, options, { columns: topicColumns, row })
    })
}
