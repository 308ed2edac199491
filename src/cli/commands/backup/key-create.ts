import { chmod, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import { createRecoveryKey, recoveryKeySetting } from '../../../identity/recovery-key.ts'
import { openContext } from '../../context.ts'

interface Options {
  set?: boolean
}

const ownerOnly = 0o600

export function define(command: Command): void {
  command
    .argument('<file>', 'where the secret part goes; there must be none yet')
    .option('--set', "set the public part in the daemon's config")
    .addHelpText('after', help)
    .action(async (file: string, { set = false }: Options) => {
      const { publicText, secretPem } = createRecoveryKey()
      await writeSecret(file, secretPem)
      await using context = openContext(command)
      if (set) await context.client.server.changeConfig({ config: { [recoveryKeySetting]: publicText } })
      context.note(`The secret part is in ${file}: move it to where no daemon and no network reaches it.`)
      if (!set) context.note(`Daemons are told the public part: linkspan config set ${recoveryKeySetting}=…`)
      context.print(publicText)
    })
}

const help = `
Daemons know the public part alone: they can seal backups for the key, and open none. Without the secret part no backup
can ever be opened again.`

async function writeSecret(file: string, pem: string): Promise<void> {
  try {
    await writeFile(file, pem, { flag: 'wx', mode: ownerOnly })
    await chmod(file, ownerOnly)
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === 'EEXIST'
    const problem = isThere ? 'is there already, and may be the only key to some backups' : 'cannot be written'
    throw new LinkspanError('invalid-request', `${file} ${problem}: name another file`, isThere ? {} : { cause })
  }
}
