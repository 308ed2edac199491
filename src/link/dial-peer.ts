import type { TLSSocket } from 'node:tls'
import { sleep } from '../base/clock.ts'
import { isLinkspanError, LinkspanError } from '../base/errors.ts'
import type { KeyPair } from '../identity/keys.ts'
import { dialPinned, type Pin } from '../transport/pinned.ts'

export interface PeerDial {
  addresses: readonly string[]
  fingerprint: Pin
  /** What we present; nothing when missing. */
  as?: KeyPair
  signal: AbortSignal
}

export const addressTimeoutMs = 5000
/** An address that answers at all mostly does so sooner; the next one is not kept waiting for one that does not. */
const headStartMs = 250

/**
 * A connection to the first address that presents the pinned certificate. They are dialled side by side, each a little
 * after the one before, so that dead ones cost no time-out. Throws the errors of the dial: a wrong certificate before
 * others, because it tells more than silence.
 */
export async function dialPeer(dial: PeerDial): Promise<{ socket: TLSSocket; address: string }> {
  const { addresses, fingerprint, as } = dial
  const decided = new AbortController()
  const signal = AbortSignal.any([dial.signal, decided.signal])
  let found: { socket: TLSSocket; address: string } | undefined
  const failures: unknown[] = []
  const attempts = addresses.map(async (address, index) => {
    try {
      await sleep(index * headStartMs, signal)
      const keys = as ? { certificatePem: as.certificatePem, privateKeyPem: as.privateKeyPem } : {}
      const options = { addresses: [address], fingerprint, alpn: 'http/1.1', timeoutMs: addressTimeoutMs, signal }
      const socket = await dialPinned({ ...options, ...keys })
      if (found) socket.destroy()
      else found = { socket, address }
      decided.abort()
    } catch (error) {
      if (!decided.signal.aborted) failures.push(error)
    }
  })
  await Promise.all(attempts)
  if (found) return found
  if (dial.signal.aborted) throw dial.signal.reason
  const worst = failures.find((error) => isLinkspanError(error, 'wrong-fingerprint')) ?? failures[0]
  throw worst ?? new LinkspanError('unreachable', 'The other cluster has no address that we could dial')
}
