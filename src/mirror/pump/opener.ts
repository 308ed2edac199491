import { sleep } from '../../base/clock.ts'
import type { Leader } from '../../kafka/cluster-options.ts'
import { maxTimestamp } from '../../records/header.ts'
import { askLogEnd, askLogStart, askProducers, type PeekAnswer, peekBatch, type TopicPart } from './asks.ts'
import { compareEnds } from './compare-ends.ts'
import {
  longerThanSource,
  moving,
  type Obstacle,
  type OpenerContext,
  type Opening,
  overtaken,
  refused,
  truncated,
} from './opening.ts'
import type { PumpPartition } from './partition.ts'
import { judgeProducer } from './producer-state.ts'
import { DrainWatch, oldBeforeMs } from './quarantine.ts'
import type { Side } from './side.ts'
import { fetchVerdict } from './verdicts.ts'

const drainPollMs = 200

interface Place {
  partition: PumpPartition
  context: OpenerContext
  signal: AbortSignal
  source: { side: Side; leader: Leader; part: TopicPart }
  destination: { side: Side; leader: Leader; part: TopicPart }
}

/**
 * Finds out where a partition goes on: at the log end of the destination's leader, never from memory. Before that it is
 * proven that the log ends where our producer stopped, and that its last batch is the source's at the same offset; old
 * data waits until nothing late can come. Nothing is written here. The caller has seen to it that nothing is
 * unanswered.
 */
export async function openPartition(
  partition: PumpPartition,
  context: OpenerContext,
  signal: AbortSignal,
): Promise<Opening> {
  const place = await locate(partition, context, signal)
  if (place.kind !== 'place') return place
  for (let drained = false; ; drained = true) {
    const ended = await findEnd(place.place)
    if (ended.kind !== 'end') return ended
    const compared = await compareEnds(place.place.source, place.place.destination, ended.logEnd, context, signal)
    if (compared.kind !== 'same') return compared
    const next = await peekNext(place.place, ended.logEnd, compared.epoch)
    if (next.kind !== 'next') return next
    if (drained || !mustDrain(partition, context, ended.logEnd, next.peek)) {
      return {
        kind: 'opened',
        logEnd: ended.logEnd,
        epoch: compared.epoch,
        readFrom: next.readFrom,
        sourceHighWatermark: next.peek.highWatermark,
        sourceNode: place.place.source.leader.nodeId,
        destinationNode: place.place.destination.leader.nodeId,
      }
    }
    context.onDraining(ended.logEnd)
    const obstacle = await drain(place.place)
    if (obstacle) return obstacle
  }
}

async function locate(
  partition: PumpPartition,
  context: OpenerContext,
  signal: AbortSignal,
): Promise<{ kind: 'place'; place: Place } | Obstacle> {
  const { sourceTopic, sourceTopicId, topic, topicId, partition: index } = partition.start
  const [source, destination] = await Promise.all([
    context.source.locate(sourceTopic, sourceTopicId, index, signal),
    context.destination.locate(topic, topicId, index, signal),
  ])
  if (source.kind === 'stop') return source
  if (destination.kind !== 'leader') return destination
  if (source.kind !== 'leader') return source
  const sourcePart = { topic: sourceTopic, topicId: sourceTopicId, partition: index }
  const place: Place = {
    partition,
    context,
    signal,
    source: { side: context.source, leader: source.leader, part: sourcePart },
    destination: {
      side: context.destination,
      leader: destination.leader,
      part: { topic, topicId, partition: index },
    },
  }
  return { kind: 'place', place }
}

/** The log end, read before and after the producers: only an end that stands still belongs to them. */
async function findEnd({ partition, destination, signal }: Place): Promise<{ kind: 'end'; logEnd: number } | Obstacle> {
  const { side, leader, part } = destination
  const before = await askLogEnd(side, leader, part, signal)
  if (before.code !== 0) return refused('The question for the log end', 'destination', before.code, part, 0)
  const producers = await askProducers(side, leader, part, signal)
  const after = await askLogEnd(side, leader, part, signal)
  if (after.code !== 0) return refused('The question for the log end', 'destination', after.code, part, 0)
  if (after.offset !== before.offset) return moving(part)
  const reason = side.raw || !producers ? undefined : judgeProducer(producers, partition, after.offset)
  return reason ? { kind: 'stop', reason } : { kind: 'end', logEnd: after.offset }
}

async function peekNext(
  place: Place,
  offset: number,
  lastFetchedEpoch: number,
): Promise<{ kind: 'next'; peek: PeekAnswer; readFrom: number } | Obstacle> {
  const { side, leader, part } = place.source
  const { batchBytesMax } = place.context.settings
  const peek = await peekBatch(side, leader, part, { offset, lastFetchedEpoch, batchBytesMax }, place.signal)
  if (peek.divergesAt >= 0) return { kind: 'stop', reason: truncated(part, offset, peek.divergesAt) }
  if (peek.code === 0) return { kind: 'next', peek, readFrom: offset }
  const verdict = fetchVerdict(peek.code)
  if (verdict.act !== 'range') return refused('The fetch', 'source', peek.code, part, offset)
  const start = await askLogStart(side, leader, part, place.signal)
  const end = await askLogEnd(side, leader, part, place.signal)
  if (start.code !== 0 || end.code !== 0) {
    return refused('The question for the log end', 'source', start.code || end.code, part, offset)
  }
  if (offset < start.offset) {
    if (place.destination.side.raw) return { kind: 'next', peek: nothingYet(end.offset), readFrom: start.offset }
    return { kind: 'stop', reason: overtaken(part, offset, start.offset) }
  }
  if (offset > end.offset) return { kind: 'stop', reason: longerThanSource(part, offset, end.offset) }
  return moving(part)
}

function nothingYet(highWatermark: number): PeekAnswer {
  return { code: 0, highWatermark, logStart: -1, divergesAt: -1, batch: undefined }
}

function mustDrain(partition: PumpPartition, context: OpenerContext, logEnd: number, peek: PeekAnswer): boolean {
  const { clock, settings } = context
  if (partition.quarantineUntilMs <= clock.monotonicMs()) return false
  if (partition.quarantineEnd !== undefined && logEnd >= partition.quarantineEnd) {
    partition.endQuarantine()
    return false
  }
  const { batch } = peek
  return batch !== undefined && maxTimestamp(batch.bytes, batch.at) < oldBeforeMs(settings, clock.wallMs())
}

/** Waits until nothing late can come; undefined when that is so. */
async function drain({ partition, context, destination, signal }: Place): Promise<Obstacle | undefined> {
  const { side, leader, part } = destination
  const watch = new DrainWatch(context.settings.drainGraceMs, partition.quarantineEnd)
  for (;;) {
    const { code, offset } = await askLogEnd(side, leader, part, signal)
    if (code !== 0) return refused('The question for the log end', 'destination', code, part, 0)
    if (watch.observe(offset, context.clock.monotonicMs())) break
    await sleep(drainPollMs, signal)
  }
  partition.endQuarantine()
  return undefined
}
