import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import type { ClusterMember } from '../../../contract/v1.ts'
import { openContext } from '../../context.ts'
import { parseRemote } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printList } from '../../render/list.ts'

const columns: Column<ClusterMember>[] = [
  { header: 'NAME', cell: ({ server_name }) => server_name },
  { header: 'URL', cell: ({ url }) => url },
  { header: 'ROLES', cell: ({ roles }) => roles },
  { header: 'ARCHITECTURE', cell: ({ architecture }) => architecture },
  { header: 'FAILURE DOMAIN', cell: ({ failure_domain }) => failure_domain },
  { header: 'DESCRIPTION', cell: ({ description }) => description },
  { header: 'STATE', cell: ({ status }) => status.toUpperCase() },
  { header: 'MESSAGE', cell: ({ message }) => message },
]

export function define(command: Command): void {
  addListFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .action(async (remote: string | undefined, options: FormatOptions) => {
      await using context = openContext(command, parseRemote(remote))
      const { members } = context.client
      if (!(await members.cluster()).enabled) throw new LinkspanError('state-conflict', 'This host is in no cluster')
      await printList(context, options, { columns, rows: await members.list() })
    })
}
