import type { Command } from 'commander'
import type { KafkaLinkConfig } from '../../../contract/kafka-v3.ts'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printRecords } from '../../render/list.ts'

interface Row {
  config_name: string
  config_value: string
  read_only: boolean
  sensitive: boolean
  source: string
  synonyms: string[]
}

const columns: Column<Row>[] = [
  { header: 'Config Name', cell: ({ config_name }) => config_name },
  { header: 'Config Value', cell: ({ config_value }) => config_value },
  { header: 'Read-Only', cell: ({ read_only }) => read_only },
  { header: 'Sensitive', cell: ({ sensitive }) => sensitive },
  { header: 'Source', cell: ({ source }) => source },
  { header: 'Synonyms', cell: ({ synonyms }) => synonyms.join(', ') },
]

interface Options extends FormatOptions {
  changed?: boolean
}

export function define(command: Command): void {
  addListFormat(command)
    .argument('<link>', 'the link')
    .option('--changed', 'only what is not the default')
    .action(async (text: string, options: Options) => {
      const { remote, name: link } = parseName(text, 'link')
      await using context = openContext(command, remote)
      const configs = await context.client.kafka.configs.list(link)
      const rows = configs.filter(({ is_default }) => !options.changed || !is_default).map(rowOf)
      await printRecords(context, options, { columns, rows: rows.toSorted(byConfigName) })
    })
}

function rowOf({ name, value, is_read_only, is_sensitive, source, synonyms }: KafkaLinkConfig): Row {
  return {
    config_name: name,
    config_value: value ?? '',
    read_only: is_read_only,
    sensitive: is_sensitive,
    source,
    synonyms,
  }
}

function byConfigName(one: Row, other: Row): number {
  return one.config_name < other.config_name ? -1 : 1
}
