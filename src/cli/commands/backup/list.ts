import type { Command } from 'commander'
import type { InstanceBackup } from '../../../contract/v1.ts'
import { neverExpires } from '../../../identity/expiry.ts'
import { openContext } from '../../context.ts'
import { parseRemote } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printList } from '../../render/list.ts'
import { type BackupPlace, backupsPath, linkOption } from './instance.ts'

const columns: Column<InstanceBackup>[] = [
  { header: 'NAME', cell: ({ name }) => name },
  { header: 'INSTANCE', cell: ({ instance }) => instance },
  { header: 'CREATED', cell: ({ created_at }) => created_at },
  { header: 'EXPIRES', cell: ({ expires_at }) => (expires_at === neverExpires ? '' : expires_at) },
  { header: 'SIZE', cell: ({ size }) => size },
  { header: 'GENERATION', cell: ({ generation }) => generation },
  { header: 'FINGERPRINT', cell: ({ fingerprint }) => fingerprint.slice(0, 12) },
]

export function define(command: Command): void {
  addListFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .option(...linkOption)
    .action(async (text: string | undefined, options: FormatOptions & BackupPlace) => {
      await using context = openContext(command, parseRemote(text))
      const rows = await context.client.backups.list(await backupsPath(context, options))
      await printList(context, options, { columns, rows })
    })
}
