import { isIP } from 'node:net'
import { LinkspanError } from '../../base/errors.ts'
import { formatAddress, type HostPort } from '../../transport/address.ts'
import type { SecurityProtocol } from '../config.ts'

/** Whoever reaches a plain port may do everything, so it is for this host's programs alone. Throws `invalid-config`. */
export function checkExposure(listen: HostPort, protocol: SecurityProtocol): void {
  if (protocol !== 'PLAINTEXT' || isLoopback(listen.host)) return
  const problem = `The broker would listen on ${formatAddress(listen)} for anybody who can reach it`
  const wayOut = 'set "security.protocol" to SSL, SASL_SSL or SASL_PLAINTEXT in a file that --broker-config names'
  throw new LinkspanError('invalid-config', `${problem}: ${wayOut}, or listen on 127.0.0.1`)
}

/** By what is written: a name could be looked up as something else a moment later. */
function isLoopback(host: string): boolean {
  if (isIP(host) === 4) return host.startsWith('127.')
  return host === '::1' || host.toLowerCase() === 'localhost'
}
