import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseRemote } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printList } from '../../render/list.ts'
import { tokenDate } from './dates.ts'
import { listStoreTokens, type StoreToken } from './tokens.ts'

const columns: Column<StoreToken>[] = [
  { header: 'NAME', cell: ({ name }) => name },
  { header: 'TOKEN', cell: ({ token }) => token },
  { header: 'EXPIRES AT', cell: ({ expiresAt }) => tokenDate(expiresAt) },
]

export function define(command: Command): void {
  addListFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .action(async (remote: string | undefined, options: FormatOptions) => {
      await using context = openContext(command, parseRemote(remote))
      const rows = await listStoreTokens(context.client)
      const raw = rows.map(({ name, token, expiresAt }) => {
        return { ClientName: name, Token: token, ExpiresAt: tokenDate(expiresAt) }
      })
      await printList(context, options, { columns, rows, raw })
    })
}
