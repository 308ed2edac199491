import { LinkspanError } from '../base/errors.ts'

/**
 * Who sent a request, as the thread that accepted the connection saw it. The gateway worker owns the TLS port and
 * passes HTTP to the control thread over an internal Unix socket; the first line of each such connection is this
 * preface. Judged per request against the identities of that moment, never trusted as an identity by itself.
 */
export interface Caller {
  /** `unix`: the local administrator's socket, whose file mode decides. `tls`: the public port. */
  transport: 'unix' | 'tls'
  /** SHA-256 of the presented certificate's DER, if one was presented; possession of its key is proven by TLS. */
  fingerprint?: string
  /** The presented certificate, PEM. */
  certificate?: string
  /** `ip:port` of the peer; `@` on the Unix socket. */
  address: string
}

/** A certificate chain in a handshake may be long; one certificate in PEM is a few kilobytes. */
export const prefaceBytesMax = 64 * 1024

export function encodePreface(caller: Caller): string {
  return `${JSON.stringify(caller)}\n`
}

/**
 * Decodes the preface line (without its newline). Only the gateway of this daemon writes one, so a bad one is our bug.
 */
export function decodePreface(line: string): Caller {
  const value = JSON.parse(line) as Partial<Caller>
  if ((value.transport !== 'unix' && value.transport !== 'tls') || typeof value.address !== 'string') {
    throw new LinkspanError('internal', 'The connection came without a valid preface')
  }
  return value as Caller
}
