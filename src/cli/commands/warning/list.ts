import type { Command } from 'commander'
import type { Warning } from '../../../contract/v1.ts'
import { openContext } from '../../context.ts'
import { parseRemote } from '../../names.ts'
import { chosenColumns } from '../../render/columns.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printList } from '../../render/list.ts'
import { shortTime } from '../../render/text.ts'

const columns: Column<Warning>[] = [
  { header: 'UUID', letter: 'u', cell: ({ uuid }) => uuid },
  { header: 'TYPE', letter: 't', cell: ({ type }) => type },
  { header: 'STATUS', letter: 'S', cell: ({ status }) => status.toUpperCase() },
  { header: 'SEVERITY', letter: 's', cell: ({ severity }) => severity.toUpperCase() },
  { header: 'COUNT', letter: 'c', cell: ({ count }) => count },
  { header: 'PROJECT', letter: 'p', cell: ({ project }) => project },
  { header: 'LAST SEEN', letter: 'l', cell: ({ last_seen_at }) => shortTime(last_seen_at) },
  { header: 'MESSAGE', letter: 'm', cell: ({ last_message }) => last_message },
  { header: 'ENTITY', letter: 'e', cell: ({ entity_url }) => entity_url },
]
/** What LXD's client shows, and what the warning says. */
const usualColumns = 'utSscplm'

interface Options extends FormatOptions {
  columns: string
  all?: boolean
}

export function define(command: Command): void {
  const letters = columns.map(({ letter, header }) => `${letter} ${header.toLowerCase()}`).join(', ')
  addListFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .option('-c, --columns <letters>', `which columns: ${letters}`, usualColumns)
    .option('-a, --all', 'those that are acknowledged or resolved, too')
    .action(async (remote: string | undefined, options: Options) => {
      const chosen = chosenColumns(columns, options.columns)
      await using context = openContext(command, parseRemote(remote))
      const warnings = await context.client.warnings.list()
      const rows = options.all ? warnings : warnings.filter(({ status }) => status === 'new')
      await printList(context, options, { columns: chosen, rows })
    })
}
