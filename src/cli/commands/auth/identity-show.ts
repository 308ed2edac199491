import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseIdentityName } from '../../names.ts'
import { addShowFormat, type FormatOptions } from '../../render/format.ts'
import { printObject } from '../../render/list.ts'
import { getIdentity } from './identity-form.ts'

export function define(command: Command): void {
  addShowFormat(command)
    .argument('<identity>', 'tls/<name or identifier>, or cluster-link/<name>')
    .action(async (text: string, options: FormatOptions) => {
      const name = parseIdentityName(text)
      await using context = openContext(command, name.remote)
      await printObject(context, options, (await getIdentity(context, name)).value)
    })
}
