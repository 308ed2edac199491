import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { printRecord } from '../../render/list.ts'
import { countsColumn, type LinkRow, linkColumns, linkRow } from './link-rows.ts'

export function define(command: Command): void {
  addListFormat(command)
    .argument('<link>', 'the link')
    .action(async (text: string, options: FormatOptions) => {
      const { remote, name } = parseName(text, 'link')
      await using context = openContext(command, remote)
      const link = await context.client.kafka.links.get(name)
      const counts = link.category_counts.map(({ state_category, count }) => `${state_category}: ${count}`).join(', ')
      const row: LinkRow = { ...linkRow(link), ...(counts === '' ? {} : { mirror_partition_states_count: counts }) }
      await printRecord(context, options, { columns: [...linkColumns, countsColumn], row })
    })
}
