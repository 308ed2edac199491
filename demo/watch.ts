import { sleep, systemClock } from '../src/base/clock.ts'
import { LinkspanError } from '../src/base/errors.ts'
import { LiveLines, table } from './say.ts'
import type { Site } from './site.ts'

const pollMs = 250

export interface WatchOptions {
  topic: string
  link: string
  timeoutMs: number
  /** Watching goes on at least until this has ended. */
  until: Promise<void>
  /** Where each partition of the source ends by then. */
  ends: () => number[]
}

/** Shows the mirror's partitions as they move, until everything that was written is mirrored. */
export async function watchMirror(site: Site, { topic, link, timeoutMs, until, ends }: WatchOptions): Promise<void> {
  const deadlineMs = systemClock.monotonicMs() + timeoutMs
  const live = new LiveLines()
  let written = false
  const finished = until.then(() => {
    written = true
  })
  for (;;) {
    const mirror = await site.client.kafka.mirrors.get(link, topic)
    const rows = mirror.mirror_lags.map(({ partition, lag, last_source_fetch_offset }) => {
      return [partition, last_source_fetch_offset, lag, mirror.mirror_status]
    })
    live.show(table(['partition', 'source high watermark', 'lag', 'state'], rows))
    const caughtUp = ends().every((end, partition) => {
      const seen = mirror.mirror_lags[partition]
      return seen !== undefined && seen.lag === 0 && seen.last_source_fetch_offset === end
    })
    if (written && caughtUp) break
    if (mirror.mirror_status === 'FAILED')
      throw new LinkspanError('internal', `The mirror failed: ${mirror.mirror_topic_error}`)
    if (systemClock.monotonicMs() > deadlineMs) throw new LinkspanError('timeout', 'The mirror did not catch up')
    await sleep(pollMs)
  }
  await finished
  live.end()
}
