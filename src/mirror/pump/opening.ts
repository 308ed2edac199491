import type { Clock } from '../../base/clock.ts'
import { LinkspanError } from '../../base/errors.ts'
import { kafkaErrorName } from '../../wire/errors.ts'
import type { TopicPart } from './asks.ts'
import type { StopReason } from './protocol.ts'
import { stopReason } from './reasons.ts'
import type { PumpSettings } from './settings.ts'
import type { Side } from './side.ts'
import { fetchVerdict, verdictStop } from './verdicts.ts'

export interface OpenerContext {
  source: Side
  destination: Side
  settings: PumpSettings
  clock: Clock
  /** Old data has to wait at this log end. */
  onDraining: (logEnd: number) => void
}

export type Opening =
  | {
      kind: 'opened'
      logEnd: number
      /** The source's leader epoch of the batch before `logEnd`; −1 when it is not known. */
      epoch: number
      /** Where the source goes on: beyond the log end where it has deleted what was between, and gaps pass. */
      readFrom: number
      sourceHighWatermark: number
      /** The leaders that were asked: what they said holds for no other node. */
      sourceNode: number
      destinationNode: number
    }
  | { kind: 'stop'; reason: StopReason }
  | { kind: 'retry'; error: LinkspanError }

export type Obstacle = Exclude<Opening, { kind: 'opened' }>

/** What an error code in an answer means here: for good, or not now. */
export function refused(
  did: string,
  side: 'source' | 'destination',
  code: number,
  part: TopicPart,
  offset: number,
): Obstacle {
  const verdict = fetchVerdict(code)
  const what = `${did} about ${part.topic}-${part.partition} at the ${side}`
  if (verdict.act === 'stop') return { kind: 'stop', reason: verdictStop(verdict, code, { did: what, offset }) }
  return { kind: 'retry', error: new LinkspanError('kafka-retriable', `${what} failed: ${kafkaErrorName(code)}`) }
}

export function moving({ topic, partition }: TopicPart): Obstacle {
  const text = `The log of ${topic}-${partition} moved while we looked at it`
  return { kind: 'retry', error: new LinkspanError('kafka-retriable', text) }
}

export function truncated({ topic, partition }: TopicPart, offset: number, sharedEnd: number): StopReason {
  const text =
    `The source has lost the end of ${topic}-${partition} (an unclean election): from offset ${sharedEnd} on it has ` +
    `other records than those that the mirror has up to ${offset}. Rebuild the partition from offset ${sharedEnd}`
  return stopReason('source-truncated', text, sharedEnd, { sharedEnd, mirrorEnd: offset })
}

export function overtaken({ topic, partition }: TopicPart, offset: number, logStart: number): StopReason {
  const text =
    `The source's retention has deleted ${topic}-${partition} up to offset ${logStart}, the mirror has it up to ` +
    `${offset}: ` +
    'the records between are lost and leave a gap that whole batches cannot reproduce'
  return stopReason('log-start', text, offset, { logStart })
}

export function longerThanSource({ topic, partition }: TopicPart, offset: number, sourceEnd: number): StopReason {
  const text =
    `The mirror partition ends at offset ${offset}, but ${topic}-${partition} at the source ends at ${sourceEnd}: ` +
    'the source lost its tail, or somebody else wrote to the mirror'
  return stopReason('destination-tail', text, sourceEnd, { sourceEnd, mirrorEnd: offset })
}
