import { sleep } from '../base/clock.ts'
import { LinkspanError } from '../base/errors.ts'
import { commitGroupOffsets, fetchGroupOffsets } from '../kafka/admin/group-offsets.ts'
import { highWatermark, logEnd } from '../kafka/admin/offsets.ts'
import { describeProducers } from '../kafka/admin/producers.ts'
import type { KafkaCluster } from '../kafka/cluster.ts'
import { unwrap } from '../kafka/rounds.ts'
import { dataProducerId, sequenceOf } from '../records/producer-id.ts'
import { type MirrorContext, partitionsOf } from './context.ts'
import { failureText } from './failures.ts'
import type { LinkRunner } from './link-runner.ts'
import { planClamp } from './plan/group-offsets.ts'
import { pumpDefaults } from './pump/settings.ts'
import type { MirrorRow, PartitionStop, StopReport } from './rows.ts'
import { allowOurselves, denyOurselves } from './self-denial.ts'
import { fenceSource } from './source-fence.ts'
import { readBounds } from './tasks/group-offsets.ts'
import type { TaskError } from './tasks/task-error.ts'

/** What a stopping mirror needs of its link. */
export interface StopContext extends MirrorContext {
  runner: LinkRunner
  /** Configs and offsets once more; what could not be copied. */
  finishSync: () => Promise<TaskError[]>
}

/** What one attempt came to. */
export type StopAttempt = { kind: 'stopped'; report: StopReport } | { kind: 'blocked'; errors: TaskError[] } | Failed

interface Failed {
  kind: 'failed'
  failure: ReturnType<typeof failureText>
}

const caughtUpWaitMs = 15_000
const pollMs = 200

/**
 * One attempt to stop a mirror with nothing missing. While a producer still writes to the source, or a group could not
 * be moved, it is blocked, and the mirror goes on.
 */
export async function tryPromote(context: StopContext, row: MirrorRow): Promise<StopAttempt> {
  const { runner, clock } = context
  const source = await runner.source()
  if (row.state.name === 'PENDING_STOPPED' && row.state.fenceSource) await fenceSource(context, runner, row)
  await allowOurselves(context, row)
  await runner.start(row.mirrorId)
  // In this order: a mirror that goes on between the two is not ahead of its source.
  const here = await endsAt(context.destination, row.topic, row, highWatermark)
  const there = await endsAt(source, row.sourceTopic, row, highWatermark)
  const lagging = laggards(row, there, here)
  if (lagging.length > 0) return { kind: 'blocked', errors: lagging }
  const unsynced = await context.finishSync()
  if (unsynced.length > 0) return { kind: 'blocked', errors: unsynced }
  await runner.stop(row.mirrorId)
  await denyOurselves(context, row)
  const after = await endsAt(source, row.sourceTopic, row, highWatermark)
  const atMs = clock.wallMs()
  const written = stillWritten(row, there, after)
  if (written.length > 0) return { kind: 'blocked', errors: written }
  const ends = await settledEnds(context, row)
  const foreign = foreignTail(row, ends, after) ?? (await foreignSequence(context, row, ends))
  if (foreign) return { kind: 'failed', failure: foreign }
  const late = await context.finishSync()
  if (late.length > 0) return { kind: 'blocked', errors: late }
  const partitions = ends.map((end, index) => ({ end, sourceHighWatermark: after[index]!, atMs }))
  return { kind: 'stopped', report: { partitions, lateWrite: null } }
}

/** Stops a mirror with what is there, without its source. Consumer groups that stand beyond the end are moved to it. */
export async function failOver(context: StopContext, row: MirrorRow): Promise<StopReport> {
  const { runner, lags, clock } = context
  const before = lags.lagsOf(row)
  await runner.stop(row.mirrorId)
  await denyOurselves(context, row)
  const ends = await settledEnds(context, row)
  const known = context.book.byId(row.mirrorId)?.partitions ?? row.partitions
  const atMs = clock.wallMs()
  const partitions = ends.map((end, partition): PartitionStop => {
    const kept = known[partition]?.sourceHighWatermark ?? -1
    return { end, sourceHighWatermark: Math.max(before[partition]?.sourceHighWatermark ?? -1, kept), atMs }
  })
  await clampGroups(context, row)
  return { partitions, lateWrite: null }
}

async function endsAt(
  cluster: KafkaCluster,
  topic: string,
  row: MirrorRow,
  ask: typeof highWatermark,
): Promise<number[]> {
  const outcomes = await ask(cluster, partitionsOf(topic, row.partitions.length))
  return outcomes.map((one) => unwrap(one).offset)
}

function laggards({ topic }: MirrorRow, there: readonly number[], here: readonly number[]): TaskError[] {
  return there.flatMap((end, partition) => {
    const missing = end - here[partition]!
    if (missing === 0) return []
    const message =
      missing > 0
        ? `Partition ${partition} of '${topic}' still lacks ${missing} of the source's records`
        : `Partition ${partition} of '${topic}' ends at ${here[partition]}, behind the source's end ${end}`
    return [{ code: 'UNKNOWN' as const, message }]
  })
}

function stillWritten({ sourceTopic }: MirrorRow, before: readonly number[], after: readonly number[]): TaskError[] {
  return after.flatMap((end, partition) => {
    if (end === before[partition]) return []
    const message =
      `The source '${sourceTopic}' is still written to: partition ${partition} went from offset ${before[partition]} ` +
      `to ${end} meanwhile. Stop its producers, promote with --fence-source, or fail the mirror over`
    return [{ code: 'UNKNOWN' as const, message }]
  })
}

/** The log ends here, once nothing of ours can be under way and all of it is safe. */
async function settledEnds(context: StopContext, row: MirrorRow): Promise<number[]> {
  const { destination, clock, pumpSettings, stopping } = context
  const quiet = context.book.byId(row.mirrorId)?.partitions.every((one) => one.quiet) ?? false
  const graceMs = quiet ? 0 : (pumpSettings.drainGraceMs ?? pumpDefaults.drainGraceMs)
  const untilMs = clock.monotonicMs() + graceMs + caughtUpWaitMs
  let ends = await endsAt(destination, row.topic, row, logEnd)
  let stillSinceMs = clock.monotonicMs()
  for (;;) {
    const safe = await endsAt(destination, row.topic, row, highWatermark)
    const nowMs = clock.monotonicMs()
    const caughtUp = safe.every((offset, partition) => offset === ends[partition])
    if (caughtUp && nowMs - stillSinceMs >= graceMs) return ends
    if (nowMs > untilMs) {
      const text = `The replicas of '${row.topic}' do not catch up with their leaders: see to the destination's brokers`
      throw new LinkspanError('kafka-retriable', text)
    }
    await sleep(pollMs, stopping)
    const again = await endsAt(destination, row.topic, row, logEnd)
    if (again.some((end, partition) => end !== ends[partition])) stillSinceMs = clock.monotonicMs()
    ends = again
  }
}

function foreignTail(row: MirrorRow, ends: readonly number[], there: readonly number[]): Failed['failure'] | undefined {
  const partition = ends.findIndex((end, index) => end !== there[index])
  if (partition < 0) return undefined
  const message =
    `Partition ${partition} of '${row.topic}' ends at offset ${ends[partition]}, its source at ${there[partition]}, ` +
    'although both were equal a moment ago: somebody else wrote here'
  return { ...failureText({ topicError: 'ILLEGAL_STATE', code: 'foreign-write', message }), partition }
}

/** Where the leader still knows our producer, its last batch has to be the last of the log. */
async function foreignSequence(
  { destination }: StopContext,
  row: MirrorRow,
  ends: readonly number[],
): Promise<Failed['failure'] | undefined> {
  const outcomes = await describeProducers(destination, partitionsOf(row.topic, row.partitions.length))
  const partition = outcomes.findIndex(({ value }, index) => {
    const ours = value?.producers.find(({ producerId }) => producerId === dataProducerId(row.mirrorId, index))
    return ours !== undefined && ours.lastSequence !== sequenceOf(ends[index]! - 1)
  })
  if (partition < 0) return undefined
  const message =
    `Partition ${partition} of '${row.topic}' ends at offset ${ends[partition]}, but not with a batch of ours: ` +
    'somebody else wrote here'
  return { ...failureText({ topicError: 'ILLEGAL_STATE', code: 'foreign-write', message }), partition }
}

/** Groups that we have moved here must not stand where nothing will come from us any more. */
async function clampGroups({ book, destination, log }: StopContext, row: MirrorRow): Promise<void> {
  const groups = book.groupsOf(row.linkId).filter(({ topics }) => topics.includes(row.topic))
  if (groups.length === 0) return
  const partitions = partitionsOf(row.topic, row.partitions.length)
  const bounds = await readBounds(destination, partitions)
  const committed = await fetchGroupOffsets(
    destination,
    groups.map(({ group }) => ({ group, partitions })),
  )
  const commits = groups.flatMap(({ group }, index) => {
    const offsets = planClamp(committed[index]?.value?.offsets ?? [], bounds)
    return offsets.length > 0 ? [{ group, offsets }] : []
  })
  const outcomes = await commitGroupOffsets(destination, commits)
  outcomes.forEach(({ value, error }, index) => {
    const failed = error ?? value?.failed[0]?.error
    // A group with members stands where its own consumers have put it.
    if (failed)
      log.warn({ group: commits[index]?.group, err: failed }, 'The offsets of a group could not be moved back')
  })
}
