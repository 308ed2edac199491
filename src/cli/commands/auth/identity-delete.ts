import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseIdentityName } from '../../names.ts'
import { getIdentity } from './identity-form.ts'

export function define(command: Command): void {
  command.argument('<identity>', 'tls/<name or identifier>, or cluster-link/<name>').action(async (text: string) => {
    const name = parseIdentityName(text)
    await using context = openContext(command, name.remote)
    await getIdentity(context, name)
    await context.client.identities.delete(name.nameOrId)
  })
}
