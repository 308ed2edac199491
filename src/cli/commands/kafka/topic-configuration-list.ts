import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printRecords } from '../../render/list.ts'

interface Row {
  name: string
  value: string
  read_only: boolean
}

const columns: Column<Row>[] = [
  { header: 'Name', cell: ({ name }) => name },
  { header: 'Value', cell: ({ value }) => value },
  { header: 'Read-Only', cell: ({ read_only }) => read_only },
]

interface Options extends FormatOptions {
  changed?: boolean
}

export function define(command: Command): void {
  addListFormat(command)
    .argument('<topic>', 'the topic')
    .option('--changed', 'only what is not the default')
    .action(async (text: string, options: Options) => {
      const { remote, name: topic } = parseName(text, 'topic')
      await using context = openContext(command, remote)
      const configs = await context.client.kafka.topics.configs(topic)
      const shown = configs.filter(({ is_default }) => !options.changed || !is_default)
      const rows = shown.map(({ name, value, is_read_only }): Row => {
        return { name, value: value ?? '', read_only: is_read_only }
      })
      await printRecords(context, options, {
        columns,
        rows: rows.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
      })
    })
}
