import type { Command } from 'commander'
import { encodeToken } from '../../../identity/trust-token.ts'
import { openContext } from '../../context.ts'
import { parseIdentityName } from '../../names.ts'
import { collectList } from '../../pairs.ts'

interface Options {
  address?: string[]
}

export function define(command: Command): void {
  command
    .argument('<identity>', 'the pending identity, as tls/<name or identifier>; a pending link has one of its name')
    .option('--address <host:port>', 'address of this cluster that the token names; may be repeated', collectList)
    .addHelpText('after', '\nThe token that was made before is void from then on.')
    .action(async (text: string, { address }: Options) => {
      const { remote, nameOrId } = parseIdentityName(text)
      await using context = openContext(command, remote)
      const { metadata } = await context.client.identities.reissueToken(nameOrId, address)
      context.say(`Identity "${metadata.client_name}" has a new token:`)
      context.print(encodeToken(metadata))
    })
}
