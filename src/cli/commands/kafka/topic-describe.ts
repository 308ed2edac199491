import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { printRecord } from '../../render/list.ts'
import { topicColumns, topicRow } from './topic-rows.ts'

export function define(command: Command): void {
  addListFormat(command)
    .argument('<topic>', 'the topic')
    .action(async (text: string, options: FormatOptions) => {
      const { remote, name } = parseName(text, 'topic')
      await using context = openContext(command, remote)
      const row = topicRow(await context.client.kafka.topics.get(name))
      await printRecord(context, options, { columns: topicColumns, row })
    })
}
