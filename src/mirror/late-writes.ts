import type { MirrorId } from '../base/ids.ts'
import { entityUrl } from '../contract/entities.ts'
import { fetchBatches } from '../kafka/admin/fetch.ts'
import { describeProducers } from '../kafka/admin/producers.ts'
import { baseOffset, lastOffset, producerId } from '../records/header.ts'
import { dataProducerId, sequenceOf } from '../records/producer-id.ts'
import { BatchCursor } from '../records/walk.ts'
import { type MirrorContext, partitionsOf } from './context.ts'
import type { MirrorRow } from './rows.ts'
import { allowOurselves } from './self-denial.ts'
import { type TaskError, taskError } from './tasks/task-error.ts'

/** How long after a stop a write of ours is looked for. */
export const lateWriteWatchMs = 10 * 60_000
/** Of one partition that are looked at each time: what others write there may be more, and is none of our business. */
const lookBytesMax = 4 << 20

interface LateWrite {
  partition: number
  /** Where it was found: an offset or a sequence. */
  where: string
}

/**
 * Looks for batches of ours behind the end of stopped mirrors. The broker may tell of our producer, unless it has
 * forgotten it (old data); so where something could be under way, what was written since is looked at too.
 */
export class LateWriteWatch {
  readonly #context: MirrorContext
  /** How far each partition was looked at. */
  readonly #seen = new Map<MirrorId, number[]>()

  constructor(context: MirrorContext) {
    this.#context = context
  }

  /** One look at each; at the end of a watch our own writes are allowed again. */
  async look(): Promise<TaskError[]> {
    const { book, clock } = this.#context
    const errors: TaskError[] = []
    for (const row of book.list()) {
      if (row.state.name !== 'STOPPED' || row.stop === null) continue
      const over = row.stop.lateWrite !== null || clock.wallMs() - row.stateMs >= lateWriteWatchMs
      const step = over ? this.#end(row) : this.#lookAt(row)
      await step.catch((error: unknown) => errors.push(taskError(error)))
    }
    return errors
  }

  async #end(row: MirrorRow): Promise<void> {
    this.#seen.delete(row.mirrorId)
    await allowOurselves(this.#context, row)
  }

  async #lookAt(row: MirrorRow): Promise<void> {
    const found = (await this.#askBrokers(row)) ?? (await this.#readOn(row))
    if (found) await this.#tell(row, found)
  }

  async #askBrokers(row: MirrorRow): Promise<LateWrite | undefined> {
    const { destination } = this.#context
    const outcomes = await describeProducers(destination, partitionsOf(row.topic, row.partitions.length))
    for (const [partition, { value }] of outcomes.entries()) {
      const ours = value?.producers.find((one) => one.producerId === dataProducerId(row.mirrorId, partition))
      const end = row.stop?.partitions[partition]?.end
      if (!ours || end === undefined || (end > 0 && ours.lastSequence === sequenceOf(end - 1))) continue
      return { partition, where: `last sequence ${ours.lastSequence}` }
    }
    return undefined
  }

  async #readOn(row: MirrorRow): Promise<LateWrite | undefined> {
    const seen = this.#seen.get(row.mirrorId) ?? row.stop!.partitions.map(({ end }) => end)
    this.#seen.set(row.mirrorId, seen)
    for (const [partition, { quiet }] of row.partitions.entries()) {
      if (quiet) continue
      const ours = dataProducerId(row.mirrorId, partition)
      const from = { topic: row.topic, partition, offset: seen[partition]! }
      const { records } = await fetchBatches(this.#context.destination, from, { bytesMax: lookBytesMax })
      const cursor = new BatchCursor()
      cursor.open(records, 0, records.length, records.length)
      while (cursor.next()) {
        if (lastOffset(records, cursor.at) < from.offset) continue
        if (producerId(records, cursor.at) === ours) {
          return { partition, where: `offset ${baseOffset(records, cursor.at)}` }
        }
        seen[partition] = lastOffset(records, cursor.at) + 1
      }
    }
    return undefined
  }

  async #tell({ mirrorId, topic, stop }: MirrorRow, { partition, where }: LateWrite): Promise<void> {
    const { book, bus, log } = this.#context
    const text =
      `A late write of the mirror reached partition ${partition} of '${topic}' after it had been stopped at ` +
      `offset ${stop?.partitions[partition]?.end} (${where}, producer id ${dataProducerId(mirrorId, partition)})`
    await book.change('note late write', mirrorId, (before) => {
      return before.stop ? { ...before, stop: { ...before.stop, lateWrite: text } } : before
    })
    log.error({ topic, partition }, text)
    bus.lifecycle({
      action: 'mirror-late-write',
      source: entityUrl({ type: 'topic', name: topic }),
      context: { partition, description: text },
    })
  }
}
