import type { Command } from 'commander'
import type { InstanceBackup } from '../../../contract/v1.ts'
import { openContext } from '../../context.ts'
import { parseRemoteName } from '../../names.ts'
import { followOperation } from '../../operations.ts'
import { instanceOf } from './instance.ts'

interface Options {
  expiresAt?: string
}

export function define(command: Command): void {
  command
    .usage('[[<remote>:]<name>] [options]')
    .argument('[name]', 'what it is called: backup0, backup1 … unless told')
    .option('--expires-at <time>', 'when the daemon deletes it, such as 2030-01-31T00:00:00Z; never unless told')
    .action(async (text: string | undefined, { expiresAt }: Options) => {
      const { remote, name } = parseRemoteName(text ?? '')
      await using context = openContext(command, remote)
      const body = { ...(name ? { name } : {}), ...(expiresAt ? { expires_at: expiresAt } : {}) }
      const { id } = await context.client.backups.create(await instanceOf(context), body)
      const { metadata } = await followOperation(context, id)
      context.say(`Backup ${(metadata as InstanceBackup | null)?.name} created`)
    })
}
