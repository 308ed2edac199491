import type { TLSSocket } from 'node:tls'
import { sleep } from '../base/clock.ts'
import { isLinkspanError, LinkspanError } from '../base/errors.ts'
import { dialPinned, type PinnedDialOptions } from './pinned.ts'

/** An address that answers at all mostly does so sooner; the next one is not kept waiting for one that does not. */
const headStartMs = 250

/**
 * A connection to the first address that presents the pinned certificate. They are dialled side by side, each when the
 * one before has failed or has had its head start, so that dead ones cost no time-out. Throws the errors of the dial: a
 * wrong certificate before others, because it tells more than silence.
 */
export async function dialSideBySide(options: PinnedDialOptions): Promise<{ socket: TLSSocket; address: string }> {
  const decided = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, decided.signal]) : decided.signal
  let found: { socket: TLSSocket; address: string } | undefined
  const failures: unknown[] = []
  const attempt = async (address: string) => {
    if (signal.aborted) return
    try {
      const socket = await dialPinned({ ...options, addresses: [address], signal })
      if (found) socket.destroy()
      else found = { socket, address }
      decided.abort()
    } catch (error) {
      if (!decided.signal.aborted) failures.push(error)
    }
  }
  let turn: Promise<unknown> = Promise.resolve()
  const attempts = options.addresses.map((address) => {
    const attempted = turn.then(() => attempt(address))
    turn = turn.then(() => Promise.race([attempted, sleep(headStartMs, signal).catch(() => {})]))
    return attempted
  })
  await Promise.all(attempts)
  decided.abort()
  if (found) return found
  if (options.signal?.aborted) throw options.signal.reason
  const worst = failures.find((error) => isLinkspanError(error, 'wrong-fingerprint')) ?? failures[0]
  throw worst ?? new LinkspanError('unreachable', 'The peer has no address that we could dial')
}
