import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import { openContext } from '../../context.ts'
import { parseIdentityName } from '../../names.ts'
import { getIdentity } from './identity-form.ts'

export function define(command: Command): void {
  command
    .argument('<identity>', 'tls/<name or identifier>, or cluster-link/<name>')
    .argument('<group>', 'the group')
    .action(async (text: string, group: string) => {
      const name = parseIdentityName(text)
      await using context = openContext(command, name.remote)
      const { value, etag } = await getIdentity(context, name)
      if (value.groups.includes(group)) {
        throw new LinkspanError('already-exists', `Identity ${text} is in group ${group} already`)
      }
      const groups = [...value.groups, group]
      await context.client.identities.replace(name.nameOrId, { groups, tls_certificate: value.tls_certificate }, etag)
    })
}
