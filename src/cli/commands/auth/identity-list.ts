import type { Command } from 'commander'
import type { Identity } from '../../../contract/v1.ts'
import { openContext } from '../../context.ts'
import { parseRemote } from '../../names.ts'
import { chosenColumns } from '../../render/columns.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printList } from '../../render/list.ts'
import { shortTime } from '../../render/text.ts'

const columns: Column<Identity>[] = [
  { header: 'AUTHENTICATION METHOD', letter: 'a', cell: ({ authentication_method }) => authentication_method },
  { header: 'TYPE', letter: 't', cell: ({ type }) => type },
  { header: 'NAME', letter: 'n', cell: ({ name }) => name },
  { header: 'IDENTIFIER', letter: 'i', cell: ({ id }) => id },
  { header: 'GROUPS', letter: 'g', cell: ({ groups }) => groups },
  { header: 'CREATED', letter: 'c', cell: ({ created_at = '' }) => shortTime(created_at) },
  { header: 'LAST USED', letter: 'l', cell: ({ last_used_at = '' }) => shortTime(last_used_at) },
  { header: 'EXPIRES', letter: 'e', cell: ({ expires_at = '' }) => shortTime(expires_at) },
]
/** Those of LXD's client. */
const usualColumns = 'atnig'

const columnsHelp =
  'which columns: a method, t type, n name, i identifier, g groups, c created, l last used, e certificate expires'

interface Options extends FormatOptions {
  columns: string
}

export function define(command: Command): void {
  addListFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .option('-c, --columns <letters>', columnsHelp, usualColumns)
    .action(async (remote: string | undefined, options: Options) => {
      const chosen = chosenColumns(columns, options.columns)
      await using context = openContext(command, parseRemote(remote))
      await printList(context, options, { columns: chosen, rows: await context.client.identities.list() })
    })
}
