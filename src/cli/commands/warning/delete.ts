import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import { openContext } from '../../context.ts'
import { confirm } from '../../input.ts'
import { parseRemoteName } from '../../names.ts'

interface Options {
  all?: boolean
  force?: boolean
}

export function define(command: Command): void {
  command
    .usage('[<remote>:]<uuid> | [<remote>:] --all [options]')
    .argument('[warning]', 'its UUID')
    .option('-a, --all', 'all warnings')
    .option('-y, --force', 'do not ask')
    .action(async (text: string | undefined, { all = false, force = false }: Options) => {
      const { remote, name: uuid } = parseRemoteName(text ?? '')
      if (all === (uuid !== '')) throw new LinkspanError('usage', 'Name one warning, or give --all')
      await using context = openContext(command, remote)
      const { warnings } = context.client
      if (!all) {
        await warnings.delete(uuid)
        return context.say(`Warning ${uuid} deleted`)
      }
      if (!force && !(await confirm('Delete all warnings?', '--force'))) return context.note('Nothing was deleted')
      const uuids = (await warnings.list()).map((warning) => warning.uuid)
      for (const each of uuids) await warnings.delete(each)
      context.say(`Warnings deleted: ${uuids.length}`)
    })
}
