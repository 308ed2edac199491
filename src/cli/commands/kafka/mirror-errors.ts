import type { Command } from 'commander'
import { openContext } from '../../context.ts'
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
    .argument('<topic>', 'the mirror topic')
    .requiredOption('--link <link>', 'the link that it comes over')
    .action(async (topic: string, options: Options) => {
      await using context = openContext(command)
      const mirror = await context.client.kafka.mirrors.get(options.link, topic, { includeErrors: true })
      const rows = mirror.mirror_state_transition_errors ?? []
      await printRecords(context, options, { columns, rows })
    })
}
