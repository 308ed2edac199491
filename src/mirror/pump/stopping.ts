import { type Clock, sleep } from '../../base/clock.ts'
import { LinkspanError } from '../../base/errors.ts'
import { askLogEnd } from './asks.ts'
import type { PumpPartition } from './partition.ts'
import type { StopFacts } from './protocol.ts'
import type { PumpSettings } from './settings.ts'
import type { Side } from './side.ts'

const askMs = 5000

export interface StoppingContext {
  destination: Side
  settings: PumpSettings
  clock: Clock
  /** Takes the partition off its lanes. */
  release(): void
  /** Ends the connection that carries what is unanswered. */
  breakOff(error: LinkspanError): void
  /** Resolves when nothing is unanswered any more. */
  settled(): Promise<void>
}

/** Ends a partition for good: nothing more is sent, what was sent is answered or its connection closed. */
export async function finishPartition(
  partition: PumpPartition,
  mode: 'drain' | 'now',
  context: StoppingContext,
): Promise<StopFacts> {
  partition.apply({ kind: 'finish' })
  partition.ending.abort(new LinkspanError('closed', 'The partition is being stopped'))
  context.release()
  if (partition.unanswered > 0) {
    const settled = context.settled()
    if (mode === 'drain') await within(settled, context.settings.requestTimeoutMs)
    if (partition.unanswered > 0) {
      context.breakOff(new LinkspanError('closed', 'A partition was stopped with appends unanswered'))
      await settled
    }
  }
  partition.apply({ kind: 'settled' })
  const quiet = partition.quarantineUntilMs <= context.clock.monotonicMs()
  const { acknowledgedEnd, sentEnd, confirmedEnd, sourceHighWatermark } = partition
  return {
    settled: partition.lostAppends && !quiet ? 'connection-closed' : 'answered',
    quiet,
    acknowledgedEnd,
    sentEnd,
    confirmedEnd,
    logEnd: await findLogEnd(partition, context.destination),
    sourceHighWatermark: sourceHighWatermark < 0 ? undefined : sourceHighWatermark,
  }
}

/** Resolves when `done` does, and after `ms` at the latest. */
async function within(done: Promise<void>, ms: number): Promise<void> {
  const waiting = new AbortController()
  await Promise.race([done, sleep(ms, waiting.signal).catch(() => {})])
  waiting.abort()
}

async function findLogEnd({ start }: PumpPartition, destination: Side): Promise<number | undefined> {
  const { topic, topicId, partition } = start
  const signal = AbortSignal.timeout(askMs)
  try {
    const located = await destination.locate(topic, topicId, partition, signal)
    if (located.kind !== 'leader') return undefined
    const { code, offset } = await askLogEnd(destination, located.leader, { topic, topicId, partition }, signal)
    return code === 0 ? offset : undefined
  } catch {
    return undefined // unreachable just now; the caller asks again if it has to know
  }
}
