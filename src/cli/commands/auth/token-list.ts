import type { Command } from 'commander'
import type { AuthToken } from '../../../contract/v1.ts'
import { openContext } from '../../context.ts'
import { lastSegment } from '../../locations.ts'
import { parseRemote } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printList } from '../../render/list.ts'
import { shortTime } from '../../render/text.ts'

const columns: Column<AuthToken>[] = [
  { header: 'NAME', cell: ({ name }) => name },
  { header: 'TYPE', cell: ({ type }) => type },
  { header: 'IDENTIFIER', cell: ({ identity }) => lastSegment(identity) },
  { header: 'CLUSTER LINK', cell: ({ cluster_link }) => lastSegment(cluster_link) },
  { header: 'CREATED', cell: ({ created_at }) => shortTime(created_at) },
  { header: 'EXPIRES', cell: ({ expires_at }) => shortTime(expires_at) },
]

export function define(command: Command): void {
  addListFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .addHelpText('after', '\nSecrets are never told again: "auth token reissue" makes a new one.')
    .action(async (remote: string | undefined, options: FormatOptions) => {
      await using context = openContext(command, parseRemote(remote))
      await printList(context, options, { columns, rows: await context.client.identities.tokens() })
    })
}
