import type { Command } from 'commander'
import type { ClusterLink } from '../../../contract/v1.ts'
import { openContext } from '../../context.ts'
import { parseRemote } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printList } from '../../render/list.ts'
import { linkAddresses, linkIsPending } from './form.ts'

const columns: Column<ClusterLink>[] = [
  { header: 'NAME', cell: ({ name }) => name },
  { header: 'ADDRESSES', cell: linkAddresses },
  { header: 'DESCRIPTION', cell: ({ description }) => description },
  { header: 'IDENTITY STATUS', cell: (link) => (linkIsPending(link) ? 'PENDING' : 'ACTIVE') },
  { header: 'TYPE', cell: ({ type }) => type.toUpperCase() },
]

export function define(command: Command): void {
  addListFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .action(async (remote: string | undefined, options: FormatOptions) => {
      await using context = openContext(command, parseRemote(remote))
      await printList(context, options, { columns, rows: await context.client.clusterLinks.list() })
    })
}
