import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import type { TrustTokenObject } from '../../../contract/v1.ts'
import { encodeToken } from '../../../identity/trust-token.ts'
import { type Context, openContext } from '../../context.ts'
import { readFileOrInput } from '../../input.ts'
import { lastSegment } from '../../locations.ts'
import { parseIdentityName } from '../../names.ts'
import { collectList } from '../../pairs.ts'

interface Options {
  group?: string[]
}

export function define(command: Command): void {
  command
    .usage('[<remote>:]<type>/<name> [<certificate.pem>] [options]')
    .argument('<new-identity>', 'tls/<name> for a client, cluster-link/<name> for a cluster that links one way')
    .argument('[certificate]', 'file with its certificate; without it a token is made')
    .option('-g, --group <group>', 'group that it is put in; may be repeated', collectList)
    .option('--auth-group <group>', 'the same', collectList)
    .action(async (text: string, path: string | undefined, options: Options & { authGroup?: string[] }) => {
      const { remote, shorthand, nameOrId: name } = parseIdentityName(text)
      const groups = [...(options.group ?? []), ...(options.authGroup ?? [])]
      if (shorthand === 'cluster-link' && path !== undefined) {
        throw new LinkspanError('usage', 'A cluster link is created from a token, not from a certificate')
      }
      await using context = openContext(command, remote)
      if (shorthand === 'cluster-link') return mintLinkToken(context, name, groups)
      if (path === undefined) return mintClientToken(context, name, groups)
      await context.client.identities.create({ name, groups, certificate: await readFileOrInput(path) })
      context.say(`TLS identity "${name}" created`)
    })
}

async function mintClientToken(context: Context, name: string, groups: string[]): Promise<void> {
  const { location, metadata } = await context.client.identities.createToken(name, groups)
  context.say(`TLS identity "${name}" (${lastSegment(location)}) pending identity token:`)
  context.print(encodeToken(metadata))
}

async function mintLinkToken(context: Context, name: string, groups: string[]): Promise<void> {
  const body = { name, type: 'unidirectional', trust_token: '', auth_groups: groups }
  const { location, metadata } = await context.client.clusterLinks.create(body)
  context.say(`Cluster link identity "${name}" (${lastSegment(location)}) pending identity token:`)
  context.print(encodeToken(metadata as TrustTokenObject))
}
