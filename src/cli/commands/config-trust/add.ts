import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import type { CertificatesPost } from '../../../contract/v1.ts'
import { type Context, openContext } from '../../context.ts'
import { Questions, readFileOrInput } from '../../input.ts'
import { parseRemote } from '../../names.ts'
import { storeTokenOf } from './tokens.ts'

interface Options {
  name?: string
  type: string
  restricted?: boolean
}

export function define(command: Command): void {
  command
    .usage('[<remote>:] [<certificate.crt>] [options]')
    .argument('[words...]', 'file with the certificate; without it a token is made')
    .option('--name <name>', 'what it is called')
    .option('--restricted', 'trust it for nothing but itself')
    .addOption(new Option('--type <type>', 'what it is for').choices(['client', 'metrics']).default('client'))
    .addHelpText('after', help)
    .action(async (words: string[], options: Options) => {
      const { remote, path } = split(words)
      await using context = openContext(command, remote)
      if (path === undefined) await addByToken(context, options)
      else await addCertificate(context, path, options)
    })
}

const help = `
This is LXD's older trust store: whoever is in it may do everything, unless restricted.
For a person or a program with chosen rights use "auth identity create tls/NAME --group GROUP".`

function split(words: readonly string[]): { remote: string | undefined; path: string | undefined } {
  const [first, ...others] = words
  const hasRemote = first?.endsWith(':') === true
  const [path, ...excess] = hasRemote ? others : words
  if (excess.length > 0) throw new LinkspanError('usage', 'Name one certificate')
  return { remote: hasRemote ? parseRemote(first) : undefined, path }
}

async function addByToken(context: Context, options: Options): Promise<void> {
  const name = options.name ?? (await askName())
  const operation = await context.client.certificates.createToken({ ...bodyOf(options), name })
  const made = storeTokenOf(operation)
  if (!made) throw new LinkspanError('malformed', 'The daemon answered without a token')
  context.say(`Client ${name} certificate add token:`)
  context.print(made.token)
}

async function askName(): Promise<string> {
  using questions = new Questions()
  const name = await questions.ask('Please provide client name: ')
  if (name) return name
  throw new LinkspanError('usage', 'Name the client that the token is for, with --name')
}

async function addCertificate(context: Context, path: string, options: Options): Promise<void> {
  const body = { ...bodyOf(options), certificate: await readFileOrInput(path) }
  const name = options.name ?? basename(path)
  await context.client.certificates.create({ ...body, name })
}

function bodyOf({ name = '', type, restricted = false }: Options): CertificatesPost {
  return { name, type, restricted }
}
