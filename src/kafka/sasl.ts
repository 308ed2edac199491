import { LinkspanError } from '../base/errors.ts'
import { escapeControl } from '../base/log.ts'
import { saslHandshake } from '../wire/api/17-sasl-handshake.ts'
import { saslAuthenticate } from '../wire/api/36-sasl-authenticate.ts'
import { kafkaErrorName, kafkaErrors } from '../wire/errors.ts'
import type { Api, RequestInput, ResponseOf } from '../wire/schema.ts'
import { scramLogin } from './scram.ts'
import type { SaslSpec } from './spec.ts'

/** Sends one request past everything that waits for the login. */
export type SaslRequest = <A extends Api>(api: A, body: RequestInput<A>, versionMin: number) => Promise<ResponseOf<A>>

/**
 * Logs in on a fresh connection, or again on one that is in use (KIP-368). Returns after how many milliseconds the
 * broker wants that again, 0 for never. `peer` is what errors call the broker; the password is in none of them.
 * Errors: `kafka-not-permitted`, `invalid-config`, `not-trusted`, `malformed`.
 */
export async function authenticate(sasl: SaslSpec, request: SaslRequest, peer: string): Promise<number> {
  const { errorCode, mechanisms } = await request(saslHandshake, { mechanism: sasl.mechanism }, 1)
  if (errorCode !== 0) throw handshakeFailure(errorCode, mechanisms, sasl, peer)
  let lifetimeMs = 0
  const step = async (authBytes: Buffer): Promise<Uint8Array> => {
    const answer = await request(saslAuthenticate, { authBytes }, 0)
    if (answer.errorCode !== 0) throw loginFailure(answer.errorCode, answer.errorMessage, sasl, peer)
    lifetimeMs = answer.sessionLifetimeMs
    return answer.authBytes
  }
  const { username, password } = sasl
  if (sasl.mechanism === 'PLAIN') {
    await step(Buffer.from(`\0${username}\0${password}`))
  } else {
    const hash = sasl.mechanism === 'SCRAM-SHA-256' ? 'sha256' : 'sha512'
    await scramLogin({ hash, username, password }, step)
  }
  return Math.max(0, lifetimeMs)
}

function handshakeFailure(code: number, mechanisms: string[], sasl: SaslSpec, peer: string): LinkspanError {
  const details = { kafkaCode: code, kafkaName: kafkaErrorName(code), mechanism: sasl.mechanism }
  if (code === kafkaErrors.UNSUPPORTED_SASL_MECHANISM) {
    const offered = mechanisms.slice(0, 16).map(escapeControl).join(', ') || 'none'
    return new LinkspanError(
      'invalid-config',
      `${peer} does not take SASL ${sasl.mechanism} (it offers ${offered}): set sasl.mechanism to one that both know`,
      { details },
    )
  }
  const hint =
    code === kafkaErrors.ILLEGAL_SASL_STATE
      ? 'this listener asks for no SASL login: set security.protocol to PLAINTEXT or SSL, or use its SASL listener'
      : kafkaErrorName(code)
  return new LinkspanError('invalid-config', `${peer} refused the SASL handshake: ${hint}`, { details })
}

function loginFailure(code: number, message: string | null, sasl: SaslSpec, peer: string): LinkspanError {
  const name = escapeControl(sasl.username)
  const said = message ? ` (${escapeControl(message)})` : ''
  const hint = code === kafkaErrors.SASL_AUTHENTICATION_FAILED ? ': check user name and password' : ''
  return new LinkspanError(
    'kafka-not-permitted',
    `${peer} refused the ${sasl.mechanism} login of user "${name}"${said}${hint}`,
    { details: { kafkaCode: code, kafkaName: kafkaErrorName(code), operation: 'login', resource: sasl.username } },
  )
}
