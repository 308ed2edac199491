import { LinkspanError } from '../../base/errors.ts'
import { type Client, createClient } from '../../client/client.ts'
import { decodeToken } from '../../identity/trust-token.ts'
import { pinnedHttp } from '../../transport/pinned-fetch.ts'
import type { Found } from './addresses.ts'
import { ensureClient } from './certificate.ts'
import type { RemotesFolder } from './folder.ts'

const legacyTokenType = ''
const linkTokenType = 'Cluster link certificate'

export interface Enrolment {
  name: string
  /** Where the daemon is, and the certificate that is pinned: checked before. */
  found: Found
  /** Asked for only when the daemon does not know the user's certificate yet. */
  token: () => Promise<string>
}

/** Becomes known to a daemon and remembers it; tells whether a token was needed. What fails leaves nothing behind. */
export async function enrol(folder: RemotesFolder, { name, found, token }: Enrolment): Promise<{ tokenUsed: boolean }> {
  // Without a certificate nobody knows us: the token comes first, so that giving up at the question leaves nothing.
  const needed = (await folder.readClient()) ? undefined : await token()
  const { client: own, made } = await ensureClient(folder)
  let tokenUsed = false
  try {
    const { addresses: address, fingerprint } = found
    const { certificatePem: certificate, privateKeyPem: key } = own
    await using call = pinnedHttp({ address, fingerprint, certificate, key })
    const client = createClient(call)
    if (!(await isTrusted(client))) {
      await spend(client, needed ?? (await token()), fingerprint)
      tokenUsed = true
    }
  } catch (error) {
    // A certificate that was made known there is kept: the next attempt needs no token.
    if (made && !tokenUsed) await folder.removeUnusedClient()
    throw error
  }
  await folder.addRemote(name, { addresses: found.addresses }, found.certificatePem)
  return { tokenUsed }
}

async function isTrusted(client: Client): Promise<boolean> {
  return (await client.server.get()).value.auth === 'trusted'
}

/** The secret goes only to the daemon that made it. Throws `wrong-fingerprint`, and what the daemon says. */
async function spend(client: Client, token: string, fingerprint: string): Promise<void> {
  const { type, fingerprint: minter } = decodeToken(token)
  if (minter !== fingerprint) {
    const sentence = 'This token was made by another daemon than the one at this address, so it was not sent'
    throw new LinkspanError('wrong-fingerprint', `${sentence}: ask this one's administrator for a token`)
  }
  try {
    if (type === legacyTokenType) await client.v1.send('POST', '/1.0/certificates', { body: { trust_token: token } })
    else await client.identities.activate(token)
  } catch (error) {
    // The answer may have been lost, and only that: whether we are trusted now tells.
    if (!(await isTrusted(client).catch(() => false))) throw error
  }
}

/** A token for links would make this user a cluster. Throws `token-type`. */
export function checkClientToken(token: string): string {
  if (decodeToken(token).type !== linkTokenType) return token
  const sentence = 'This token links clusters: use it with "linkspan cluster link create"'
  throw new LinkspanError('token-type', `${sentence}, or make one for a person with "auth identity create tls/NAME"`)
}
