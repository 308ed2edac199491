import type { Command } from 'commander'
import { restoreBackup } from '../../../backup/restore.ts'
import { LinkspanError } from '../../../base/errors.ts'
import { openContext } from '../../context.ts'
import { stateDirectory } from '../../local.ts'
import { readBackup, readSecret } from './files.ts'

export function define(command: Command): void {
  command
    .argument('<file>', 'the backup')
    .requiredOption('--recovery-key <file>', 'the secret part of the recovery key')
    .addHelpText('after', help)
    .action(async (file: string, { recoveryKey }: { recoveryKey: string }) => {
      const { stateDir } = command.optsWithGlobals<{ stateDir?: string }>()
      if (stateDir === undefined) throw new LinkspanError('usage', 'Name the new state directory with --state-dir')
      const directory = stateDirectory(stateDir)
      const [bytes, secret] = await Promise.all([readBackup(file), readSecret(recoveryKey)])
      const generation = await restoreBackup({ bytes, secret, directory })
      await using context = openContext(command)
      context.say(`${directory} holds the state of the lost host, of generation ${generation}`)
      const next = 'Start linkspand on it as the lost host was started'
      context.note(`${next}: linked clusters are told, and refuse the old one.`)
    })
}

const help = `
The directory of --state-dir must be missing or empty. Records of an embedded broker are in no backup: mirrors are
filled again from their sources, other topics begin empty.`
