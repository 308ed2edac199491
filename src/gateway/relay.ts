import { connect } from 'node:net'
import { encodePreface } from '../transport/caller.ts'
import type { FrontConnection } from '../transport/listener.ts'

/** How long a peer may take for the rest of an answer when the control thread has ended the connection. */
const flushTimeoutMs = 30_000

/**
 * Passes one HTTP connection on to the control thread, bytes as they are, with who is there in the first line: a caller
 * is judged there, for every request. Both directions wait for their slower end.
 */
export function relayHttp(connection: FrontConnection, internalSocketPath: string): void {
  const { socket, fingerprint, certificatePem, address } = connection
  const internal = connect({ path: internalSocketPath })
  const preface = encodePreface({
    transport: 'tls',
    address,
    ...(fingerprint === undefined ? {} : { fingerprint }),
    ...(certificatePem === undefined ? {} : { certificate: certificatePem }),
  })
  internal.write(preface)
  socket.pipe(internal)
  internal.pipe(socket)
  internal.on('error', () => socket.destroy())
  internal.once('end', () => socket.setTimeout(flushTimeoutMs, () => socket.destroy()))
  socket.once('close', () => internal.destroy())
}
