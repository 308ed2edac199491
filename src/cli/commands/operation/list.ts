import type { Command } from 'commander'
import type { Operation } from '../../../contract/v1.ts'
import { openContext } from '../../context.ts'
import { parseRemote } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printList } from '../../render/list.ts'
import { shortTime } from '../../render/text.ts'

const columns: Column<Operation>[] = [
  { header: 'ID', cell: ({ id }) => id },
  { header: 'TYPE', cell: (operation) => operation.class.toUpperCase() },
  { header: 'DESCRIPTION', cell: ({ description }) => description },
  { header: 'STATUS', cell: ({ status }) => status.toUpperCase() },
  { header: 'CANCELABLE', cell: ({ may_cancel }) => (may_cancel ? 'YES' : 'NO') },
  { header: 'CREATED', cell: ({ created_at }) => shortTime(created_at) },
]

export function define(command: Command): void {
  addListFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .action(async (remote: string | undefined, options: FormatOptions) => {
      await using context = openContext(command, parseRemote(remote))
      await printList(context, options, { columns, rows: await context.client.operations.list() })
    })
}
