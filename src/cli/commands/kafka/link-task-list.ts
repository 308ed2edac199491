import type { Command } from 'commander'
import type { LinkTask } from '../../../contract/kafka-v3.ts'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printRecords } from '../../render/list.ts'

const columns: Column<LinkTask>[] = [
  { header: 'Task Name', cell: ({ task_name }) => task_name },
  { header: 'State', cell: ({ state }) => state },
  {
    header: 'Errors',
    cell: ({ errors }) => errors.map(({ error_code, error_message }) => `${error_code}: "${error_message}"`).join(', '),
  },
]

export function define(command: Command): void {
  addListFormat(command)
    .argument('<link>', 'the link')
    .action(async (text: string, options: FormatOptions) => {
      const { remote, name: link } = parseName(text, 'link')
      await using context = openContext(command, remote)
      const { tasks = [] } = await context.client.kafka.links.get(link, { includeTasks: true })
      const rows = tasks.map(({ task_name, state, errors }) => ({ task_name, state, errors: errors ?? [] }))
      await printRecords(context, options, {
        columns,
        rows: rows.toSorted((one, other) => (one.task_name < other.task_name ? -1 : 1)),
      })
    })
}
