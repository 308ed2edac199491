import { open } from 'node:fs/promises'
import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import { type Context, openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { type BackupPlace, backupsPath, linkOption } from './instance.ts'

const ownerOnly = 0o600

export function define(command: Command): void {
  command
    .argument('<name>', 'the backup')
    .argument('[file]', 'where it goes; its name with .backup unless told')
    .option(...linkOption)
    .action(async (text: string, given: string | undefined, options: BackupPlace) => {
      const { remote, name } = parseName(text, 'backup')
      const file = given ?? `${name}.backup`
      await using context = openContext(command, remote)
      const path = `${await backupsPath(context, options)}/${encodeURIComponent(name)}/export`
      await save(context, path, file)
      context.say(`Backup ${name} saved as ${file}`)
    })
}

async function save(context: Context, path: string, file: string): Promise<void> {
  await using handle = await open(file, 'wx', ownerOnly).catch((cause: NodeJS.ErrnoException) => {
    const problem = cause.code === 'EEXIST' ? 'is there already' : 'cannot be written'
    throw new LinkspanError('invalid-request', `${file} ${problem}: name another file`)
  })
  await context.download(path, async (chunk) => void (await handle.writeFile(chunk)))
  await handle.sync()
}
