import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import { decodeToken } from '../../../identity/trust-token.ts'
import { askForConsent } from '../../consent.ts'
import { type Context, openContext } from '../../context.ts'
import { Questions } from '../../input.ts'
import { parseRemoteItself } from '../../names.ts'
import { findCertificate, parseAddresses } from '../../remotes/addresses.ts'
import { checkClientToken, enrol } from '../../remotes/enrol.ts'
import { checkRemoteName, RemotesFolder } from '../../remotes/folder.ts'
import { looksLikeToken, readToken } from '../../token-input.ts'

interface Options {
  token?: string
  tokenFile?: string
  acceptCertificate?: boolean
}

export function define(command: Command): void {
  command
    .usage('<name> [<token> | <address>[,<address>…]] [options]')
    .argument('<name>', 'what the daemon is called from now on')
    .argument('[place]', 'a token that its administrator made for you, or its address')
    .option('-t, --token <token>', 'the token; "-" reads it from standard input')
    .option('--token-file <file>', 'file that holds the token')
    .option('--accept-certificate', 'trust the certificate at the address without looking at it')
    .addHelpText('after', help)
    .action(async (text: string, place: string | undefined, options: Options) => {
      if (looksLikeToken(text))
        throw new LinkspanError('usage', 'Name the remote first: linkspan remote add NAME TOKEN')
      const name = parseRemoteItself(text)
      checkRemoteName(name)
      await using context = openContext(command)
      await add(context, { name, place, options })
    })
}

const help = `
The administrator of the other daemon makes a token with "linkspan auth identity create tls/NAME -g GROUP".
The token's secret is sent only to the daemon whose certificate the token names.
With an address alone, the certificate's fingerprint is shown and asked about, and then the token is asked for.`

interface Addition {
  name: string
  place: string | undefined
  options: Options
}

async function add(context: Context, { name, place, options }: Addition): Promise<void> {
  const folder = new RemotesFolder()
  await folder.checkFree(name)
  const argument = place !== undefined && looksLikeToken(place) ? place : undefined
  const token = await readToken({ argument, token: options.token, tokenFile: options.tokenFile })
  const given = place === undefined || argument !== undefined ? undefined : parseAddresses(place)
  if (token !== undefined) return addByToken(context, { folder, name, token, given, options })
  if (given === undefined) {
    throw new LinkspanError('usage', `Give a token or an address: linkspan remote add ${name} TOKEN|HOST:PORT`)
  }
  await addByAddress(context, { folder, name, given, options })
}

interface Chosen {
  folder: RemotesFolder
  name: string
  options: Options
}

async function addByToken(
  context: Context,
  { folder, name, token, given, options }: Chosen & { token: string; given: string[] | undefined },
): Promise<void> {
  if (options.acceptCertificate) {
    throw new LinkspanError('usage', 'The token names the certificate: leave --accept-certificate out')
  }
  const { addresses, fingerprint } = decodeToken(checkClientToken(token))
  const found = await findCertificate(given ?? addresses, fingerprint)
  for (const address of found.strangers) {
    context.note(`${address} presented another certificate than the token names: it is left out`)
  }
  const { tokenUsed } = await enrol(folder, { name, found, token: async () => token })
  if (!tokenUsed) context.note('The daemon knows your certificate already: the token was not used')
  context.say(`Remote ${name} added`)
}

async function addByAddress(
  context: Context,
  { folder, name, given, options }: Chosen & { given: string[] },
): Promise<void> {
  const found = await findCertificate(given)
  using questions = new Questions()
  if (!options.acceptCertificate) await askForConsent(questions, found.fingerprint, 'no remote was added')
  const token = async () => {
    const answer = await questions.ask(`Trust token for ${name}: `)
    if (answer) return checkClientToken(answer.replace(/\s+/g, ''))
    const wayOut = 'its administrator makes a token with "linkspan auth identity create tls/NAME"'
    throw new LinkspanError(
      'not-trusted',
      `The daemon does not know your certificate, and there is no token: ${wayOut}`,
    )
  }
  await enrol(folder, { name, found, token })
  context.say(`Remote ${name} added`)
}
