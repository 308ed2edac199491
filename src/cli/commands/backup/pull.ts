import type { Command } from 'commander'
import type { InstanceBackup } from '../../../contract/v1.ts'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { followOperation } from '../../operations.ts'

export function define(command: Command): void {
  command
    .argument('<link>', 'the cluster link')
    .addHelpText('after', help)
    .action(async (text: string) => {
      const { remote, name: link } = parseName(text, 'link')
      await using context = openContext(command, remote)
      const { id } = await context.client.backups.pull(link)
      const { metadata } = await followOperation(context, id)
      const { backups = [] } = (metadata ?? {}) as { backups?: InstanceBackup[] }
      for (const { name, instance } of backups) context.say(`Backup ${name} of ${instance} pulled over link ${link}`)
    })
}

const help = `
The other side has to grant the link "instance can_manage_backups", and to have a recovery key. By itself it is done as
the link's config says: linkspan.backup.schedule (@daily, 6h) and linkspan.backup.keep.`
