import { isLinkspanError } from '../../base/errors.ts'
import type { Catalog } from '../catalog/types.ts'
import type { Watched } from './fetch-round.ts'

/** Whoever waits for many bytes is not read for again with each batch that comes. */
const gatheringMs = 10
/** A log tells only so many of its readers: the others look by themselves. */
const untoldMs = 100

/**
 * Resolves when reading again may give more, at the end of the time, when a topic that is waited for is deleted, or
 * when the client has left. Only what is waited for wakes it.
 */
export function waitForMore(
  watched: readonly Watched[],
  { bytesWanted, timeoutMs }: { bytesWanted: number; timeoutMs: number },
  { catalog, signal }: { catalog: Catalog; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const ends: (() => void)[] = []
    const stop = () => {
      clearTimeout(timer)
      clearTimeout(gathering)
      signal.removeEventListener('abort', wake)
      for (const end of ends) end()
    }
    const wake = () => {
      stop()
      resolve()
    }
    let timer = setTimeout(wake, timeoutMs)
    let gathering: NodeJS.Timeout | undefined
    const moved = () => {
      if (bytesWanted <= 1) wake()
      else gathering ??= setTimeout(wake, gatheringMs)
    }
    signal.addEventListener('abort', wake, { once: true })
    try {
      for (const one of watched) ends.push(one.log.onAdvance(() => hasMoved(one) && moved()))
    } catch (error) {
      if (!isLinkspanError(error, 'rate-limited')) {
        stop()
        reject(error)
        return
      }
      clearTimeout(timer)
      timer = setTimeout(wake, Math.min(timeoutMs, untoldMs))
    }
    ends.push(
      catalog.onDeleted(({ topicId }) => {
        if (watched.some(({ log }) => log.topicId === topicId)) wake()
      }),
    )
    if (signal.aborted) wake()
    // What came between the reading and now has told nobody.
    else if (watched.some(hasMoved)) moved()
  })
}

function hasMoved({ log, target, highWatermark, lastStableOffset }: Watched): boolean {
  const { bounds } = log
  if (bounds.highWatermark !== highWatermark || bounds.lastStableOffset !== lastStableOffset) return true
  return bounds.logStartOffset > target.fetchOffset
}
