import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { followOperation } from '../../operations.ts'
import { type BackupPlace, backupsPath, linkOption } from './instance.ts'

export function define(command: Command): void {
  command
    .argument('<name>', 'the backup')
    .option(...linkOption)
    .action(async (text: string, options: BackupPlace) => {
      const { remote, name } = parseName(text, 'backup')
      await using context = openContext(command, remote)
      const operation = await context.client.backups.delete(await backupsPath(context, options), name)
      if (operation.id) await followOperation(context, operation.id)
      context.say(`Backup ${name} deleted`)
    })
}
