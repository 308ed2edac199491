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
 * A connection to the first address that presents the pinned certificate. They are dialled side by side, each when the
 * one before has failed or has had its head start, so that dead ones cost no time-out. Throws the errors of the dial: a
 * wrong certificate before others, because it tells more than silence.
 */
export async function dialPeer(dial: PeerDial): Promise<{ socket: TLSSocket; address: string }> {
  const decided = new AbortController()
  const signal = AbortSignal.any([dial.signal, decided.signal])
  let found: { socket: TLSSocket; address: string } | undefined
  const failures: unknown[] = []
  const attempt = async (address: string) => {
    if (signal.aborted) return
    try {
      const socket = await dialAddress(dial, address, signal)
      if (found) socket.destroy()
      else found = { socket, address }
      decided.abort()
    } catch (error) {
      if (!decided.signal.aborted) failures.push(error)
    }
  }
  let turn: Promise<unknown> = Promise.resolve()
  const attempts = dial.addresses.map((address) => {
    const attempted = turn.then(() => attempt(address))
    turn = turn.then(() => Promise.race([attempted, sleep(headStartMs, signal).catch(() => {})]))
    return attempted
  })
  await Promise.all(attempts)
  decided.abort()
  if (found) return found
  if (dial.signal.aborted) throw dial.signal.reason
  const worst = failures.find((error) => isLinkspanError(error, 'wrong-fingerprint')) ?? failures[0]
  throw worst ?? new LinkspanError('unreachable', 'The other cluster has no address that we could dial')
}

function dialAddress({ fingerprint, as }: PeerDial, address: string, signal: AbortSignal): Promise<TLSSocket> {
  const keys = as ? { certificatePem: as.certificatePem, privateKeyPem: as.privateKeyPem } : {}
  const where = { addresses: [address], fingerprint, alpn: 'http/1.1' }
  return dialPinned({ ...where, ...keys, timeoutMs: addressTimeoutMs, signal })
}
