import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printRecords } from '../../render/list.ts'

interface Row {
  error_code: string
  error_message: string
}

const columns: Column<Row>[] = [
  { header: 'Mirror State Transition Error Code', cell: ({ error_code }) => error_code },
  { header: 'Mirror State Transition Error Message', cell: ({ error_message }) => error_message },
]

interface Options extends FormatOptions {
  link: string
}

export function define(command: Command): void {
  addListFormat(command)
    .argument('<mirror-topic>', 'the mirror topic')
    .requiredOption('--link <link>', 'the link that it comes over')
    .action(async (text: string, options: Options) => {
      const { remote, name: topic } = parseName(text, 'mirror topic')
      await using context = openContext(command, remote)
      const mirror = await context.client.kafka.mirrors.get(options.link, topic, { includeErrors: true })
      const rows = mirror.mirror_state_transition_errors ?? []
      await printRecords(context, options, { columns, rows })
    })
}
