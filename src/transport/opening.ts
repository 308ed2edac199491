import type { Socket } from 'node:net'
import { explainError, LinkspanError } from '../base/errors.ts'

export interface OpeningOptions {
  /** The event that ends the opening: `connect`, `secureConnect`. */
  event: string
  /** `host:port`, for messages. */
  address: string
  timeoutMs: number
  signal?: AbortSignal | undefined
  /** Runs within the event, before a byte can be read or written; what it throws closes the socket. */
  check?: () => void
}

/**
 * Waits until a dialled socket is open. Throws `unreachable`, `timeout`, what `check` throws, or the signal's reason;
 * then the socket is destroyed. The socket keeps an error listener, so that a reset between this promise and its
 * owner's own listeners ends no process: an owner looks at `destroyed` when it takes the socket over.
 */
export function socketOpened<S extends Socket>(socket: S, options: OpeningOptions): Promise<S> {
  const { event, address, timeoutMs, signal, check } = options
  socket.on('error', () => {})
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      socket.off(event, opened).off('close', closed).off('error', failed)
    }
    const fail = (error: unknown) => {
      stop()
      socket.destroy()
      reject(error)
    }
    const opened = () => {
      try {
        check?.()
      } catch (error) {
        return fail(error)
      }
      stop()
      resolve(socket)
    }
    const failed = (error: Error) => fail(unreachable(address, error))
    const closed = () => fail(unreachable(address, new Error('the connection was closed while it was opened')))
    const abort = () => fail(signal?.reason)
    const timer = setTimeout(() => {
      fail(new LinkspanError('timeout', `${address} did not answer within ${timeoutMs} ms`))
    }, timeoutMs)
    if (signal?.aborted) return abort()
    signal?.addEventListener('abort', abort, { once: true })
    socket.once(event, opened).once('close', closed).once('error', failed)
  })
}

export function unreachable(address: string, cause: Error): LinkspanError {
  return new LinkspanError('unreachable', `Cannot connect to ${address}: ${reasonOf(cause)}`, { cause })
}

const reasons: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'its name cannot be looked up now',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to its network',
  ECONNRESET: 'it closed the connection',
  ETIMEDOUT: 'it does not answer',
  ENOENT: 'there is no such socket',
  EACCES: 'the permission is missing',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it does not speak the TLS version that we ask for',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it does not speak the TLS version that we ask for',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'it does not speak the protocol that we ask for',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself; give it as the trusted root',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by an unknown root; give that root as the trusted one',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by an unknown root; give that root as the trusted one',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is signed by an unknown root; give that root as the trusted one',
}

/** Several addresses of one name fail as an aggregate without a message of its own. */
function reasonOf(error: Error): string {
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : error
  const { code } = first as NodeJS.ErrnoException
  return reasons[code ?? ''] ?? explainError(first)
}
