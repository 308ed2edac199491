import { type Command, Option } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import type { ClusterLinksPost, TrustTokenObject } from '../../../contract/v1.ts'
import { encodeToken } from '../../../identity/trust-token.ts'
import { type Context, openContext } from '../../context.ts'
import { readOptionalInput } from '../../input.ts'
import { lastSegment } from '../../locations.ts'
import { parseName } from '../../names.ts'
import { collectList, parsePairs } from '../../pairs.ts'
import { looksLikeToken, readToken } from '../../token-input.ts'
import { parseYamlMapping } from '../../yaml.ts'
import { confirmPublicLink } from './confirm-public.ts'

interface Options {
  token?: string
  tokenFile?: string
  authGroup?: string[]
  description?: string
  unidirectional?: boolean
  public?: boolean
  remoteAddress?: string
  address?: string[]
}

export function define(command: Command): void {
  command
    .usage('[<remote>:]<name> [<token>] [<key>=<value>…] [options]')
    .argument('<new-link>', 'what the other cluster is called here')
    .argument('[words...]', 'the token of the other side, and config as key=value')
    .option('-t, --token <token>', 'token of the other side; "-" reads it from standard input')
    .option('--token-file <file>', 'file that holds the token')
    .option('-g, --auth-group <group>', 'group that the other cluster is put in; may be repeated', collectList)
    .option('-d, --description <text>', 'description of the link')
    .addOption(
      new Option('--unidirectional', 'only this side may call the other; needs a token').conflicts('authGroup'),
    )
    .addOption(
      new Option('--public', 'link to a cluster that does not know this one').conflicts([
        'authGroup',
        'unidirectional',
      ]),
    )
    .option('--remote-address <host:port>', 'address of the other cluster, for --public')
    .option('--address <host:port>', 'address of this cluster that the new token names; may be repeated', collectList)
    .addHelpText('after', help)
    .action(async (name: string, words: string[], options: Options) => {
      checkOptions(options)
      const { remote, name: link } = parseName(name, 'link')
      await using context = openContext(command, remote)
      if (looksLikeToken(link)) throw new LinkspanError('usage', 'Name the link first, then the token')
      await create(context, link, words, options)
    })
}

const help = `
Without a token, one is printed for the administrator of the other cluster, who uses it with the same command.
A description and config can also come as YAML on standard input.`

function checkOptions({ public: isPublic, remoteAddress, token, tokenFile, unidirectional }: Options): void {
  if ((isPublic === true) !== (remoteAddress !== undefined)) {
    throw new LinkspanError('usage', '--public and --remote-address go together')
  }
  if (isPublic && (token !== undefined || tokenFile !== undefined)) {
    throw new LinkspanError('usage', 'A public link needs no token')
  }
  if (unidirectional && token === undefined && tokenFile === undefined) {
    throw new LinkspanError('usage', '--unidirectional needs the token of the other side, by --token or --token-file')
  }
}

async function create(context: Context, name: string, words: string[], options: Options): Promise<void> {
  const [argument, ...others] = words.filter(looksLikeToken)
  if (others.length > 0) throw new LinkspanError('usage', 'Only one token can be used')
  const trustToken = await readToken({ argument, token: options.token, tokenFile: options.tokenFile })
  if (options.address && (trustToken !== undefined || options.public)) {
    throw new LinkspanError('usage', '--address is for making a token: here none is made')
  }
  const inputIsFree = !options.public && options.token !== '-' && options.tokenFile !== '-'
  const given = inputIsFree ? await readForm(context) : {}
  const body: ClusterLinksPost = {
    name,
    type: options.public ? 'public' : options.unidirectional ? 'unidirectional' : 'bidirectional',
    description: options.description ?? given.description ?? '',
    config: { ...given.config, ...parsePairs(words.filter((word) => !looksLikeToken(word))) },
    trust_token: trustToken ?? '',
    auth_groups: options.authGroup ?? [],
    ...(options.remoteAddress === undefined ? {} : { remote_address: options.remoteAddress }),
    ...(options.address === undefined ? {} : { addresses: options.address }),
  }
  const created = await context.client.clusterLinks.create(body)
  if (options.public) return confirmPublicLink(context, body, created.metadata)
  if (trustToken !== undefined) return context.say(`Cluster link ${name} created`)
  const token = created.metadata as TrustTokenObject
  context.say(`Cluster link ${name} created (pending)`)
  context.say(`Cluster link "${name}" (${lastSegment(created.location)}) pending identity token:`)
  context.print(encodeToken(token))
}

async function readForm(context: Context): Promise<Pick<ClusterLinksPost, 'description' | 'config'>> {
  const input = await readOptionalInput((text) => context.note(text))
  return input.trim() === '' ? {} : parseYamlMapping(input)
}
