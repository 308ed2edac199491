import { checkCertificateName } from '../../access/certificates.ts'
import { tokenEndMs } from '../../access/server-config.ts'
import type { Clock } from '../../base/clock.ts'
import { LinkspanError } from '../../base/errors.ts'
import type { CertificatesPost } from '../../contract/v1.ts'
import type { OperationView } from '../../events/event.ts'
import type { Operation } from '../../events/operation.ts'
import type { Operations } from '../../events/operations.ts'
import { formatExpiry, isExpired, parseExpiry } from '../../identity/expiry.ts'
import { decodeToken, hashSecret, mintSecret, secretMatcher } from '../../identity/trust-token.ts'
import type { ApiRequest } from '../request.ts'
import type { Answer } from '../route.ts'
import { started } from './envelope.ts'
import { auditOf, type V1Rooms } from './rooms.ts'

const tokensMax = 100
/** Long timers would fire at once, and the wall clock may be set. */
const expiryCheckMs = 60_000

/** What its maker chose for whoever uses the token. */
export interface CertificateToken {
  operation: Operation
  name: string
  restricted: boolean
}

interface TokenMetadata {
  addresses: string[]
  expiresAt: string
  fingerprint: string
  request: { name: string; type: 'client'; restricted: boolean; projects: string[] } & Record<string, unknown>
}

/**
 * A token of the older trust store is an operation, as LXD's clients expect: it waits to be used or cancelled. Its
 * secret is kept in memory only, so it ends with the daemon.
 */
export function mintCertificateToken(rooms: V1Rooms, request: ApiRequest<CertificatesPost>): Answer {
  const { access, clock, operations, server } = rooms
  const { name, restricted } = request.body
  if (!name) throw new LinkspanError('invalid-request', 'Give the client a name')
  checkCertificateName(name)
  const addresses = server.addresses()
  if (addresses.length === 0) {
    const sentence = 'Nobody could use the token: open the port to others first, with --listen and --advertise'
    throw new LinkspanError('invalid-request', sentence)
  }
  if (runningTokens(operations).length >= tokensMax) {
    throw new LinkspanError('too-large', `${tokensMax} tokens wait to be used already: revoke some of them first`)
  }
  const expiresAt = formatExpiry(tokenEndMs(access.rows, clock.wallMs()))
  const asked = { name, type: 'client', restricted: restricted ?? false, projects: [] } as const
  const metadata: TokenMetadata = {
    addresses,
    expiresAt,
    fingerprint: server.fingerprint(),
    request: { ...asked, projects: [], certificate: '', password: '', trust_token: '', token: true },
  }
  const secret = mintSecret()
  const operation = operations.run(
    {
      class: 'token',
      description: 'Certificate add token',
      metadata: { ...metadata },
      requestor: request.requestor,
      secret,
    },
    (running, signal) => untilExpired(running, expiresAt, clock, signal),
  )
  auditOf(rooms).security(request, `authn_token_created:${operation.id}`, `A token for client ${name} was made`)
  const { view } = operation
  return started({ ...view, metadata: { ...view.metadata, secret } })
}

export function tokenRevoked(rooms: V1Rooms, request: ApiRequest, { id }: OperationView): void {
  auditOf(rooms).security(request, `authn_token_revoked:${id}`, `The token ${id} was revoked`)
}

/**
 * The token that a secret belongs to; it stays usable until its operation is ended. Takes the same time for every wrong
 * secret. Throws `token-undecodable`, `token-type`, `token-unknown`, `token-expired`.
 */
export function findCertificateToken({ operations, clock }: V1Rooms, text: string): CertificateToken {
  const { secret, type } = decodeToken(text)
  if (type !== '') {
    const sentence = 'This token makes an identity, not an entry of the older trust store'
    throw new LinkspanError('invalid-request', `${sentence}: use it with /1.0/auth/identities/tls, or a newer client`)
  }
  const matches = secretMatcher(secret)
  const found = runningTokens(operations).filter((operation) => matches(hashSecret(operation.secret!)))
  const [operation] = found
  if (!operation) {
    const sentence = 'This token is not known here: it was used already, was revoked, or is of another cluster'
    throw new LinkspanError('token-unknown', sentence)
  }
  const { expiresAt, request } = operation.view.metadata as unknown as TokenMetadata
  if (isExpired(parseExpiry(expiresAt) ?? null, clock)) {
    operation.abort('The token has expired')
    throw new LinkspanError('token-expired', 'This token has expired: ask for a new one')
  }
  return { operation, name: request.name, restricted: request.restricted }
}

function runningTokens(operations: Operations): Operation[] {
  return operations.list().filter((one) => one.status === 'Running' && one.secret !== undefined)
}

async function untilExpired(operation: Operation, expiresAt: string, clock: Clock, signal: AbortSignal): Promise<void> {
  const endMs = parseExpiry(expiresAt) ?? null
  const timer = setInterval(() => {
    if (isExpired(endMs, clock)) operation.abort('The token has expired')
  }, expiryCheckMs)
  timer.unref()
  const { promise, reject } = Promise.withResolvers<never>()
  signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  try {
    await promise
  } finally {
    clearInterval(timer)
  }
}
