import { isLinkspanError } from '../base/errors.ts'
import type { MirrorId } from '../base/ids.ts'
import { describeTopics } from '../kafka/admin/topics.ts'
import type { MirrorContext } from './context.ts'
import { failureText } from './failures.ts'
import { isLive, type MirrorFailure } from './lifecycle.ts'
import type { MirrorRow } from './rows.ts'

export interface DestinationFindings {
  /** Deleted by somebody: the mirror goes too. */
  gone: MirrorRow[]
  failed: { row: MirrorRow; failure: MirrorFailure }[]
}

/** A broker that has just started may not have heard of a topic yet. */
const missingMsMin = 2000

/** Sees whether the topics of mirrors are still there, and still the same. */
export class DestinationWatch {
  readonly #context: MirrorContext
  /** Since when a topic has been missing. */
  readonly #missing = new Map<MirrorId, number>()

  constructor(context: MirrorContext) {
    this.#context = context
  }

  async look(): Promise<DestinationFindings> {
    const { book, destination, clock, stopping: signal } = this.#context
    // Another Kafka under the same address has other topics, which says nothing about ours.
    const here = await destination.clusterId({ signal })
    const rows = book.list().filter(({ topicId, kafkaClusterId, intent }) => {
      // What became of the topic of a restored mirror is found out when that is taken up.
      return topicId !== null && kafkaClusterId === here && intent?.kind !== 'restore'
    })
    const found = await describeTopics(destination, [...new Set(rows.map(({ topic }) => topic))], { signal })
    const byName = new Map(found.flatMap(({ value }) => (value ? [[value.name, value.topicId]] : [])))
    const unknown = new Set<string>()
    const names = [...new Set(rows.map(({ topic }) => topic))]
    names.forEach((name, index) => {
      // Hidden from us is not gone.
      if (isLinkspanError(found[index]?.error, 'kafka-unknown-topic')) unknown.add(name)
    })
    const findings: DestinationFindings = { gone: [], failed: [] }
    for (const row of rows) {
      if (unknown.has(row.topic)) {
        const sinceMs = this.#missing.get(row.mirrorId) ?? clock.monotonicMs()
        this.#missing.set(row.mirrorId, sinceMs)
        if (clock.monotonicMs() - sinceMs >= missingMsMin) findings.gone.push(row)
        continue
      }
      this.#missing.delete(row.mirrorId)
      const topicId = byName.get(row.topic)
      if (topicId === undefined || topicId === row.topicId) continue
      if (!isLive(row.state)) findings.gone.push(row)
      else if (row.state.name !== 'FAILED') findings.failed.push({ row, failure: recreated(row, topicId) })
    }
    for (const row of findings.gone) this.#missing.delete(row.mirrorId)
    return findings
  }
}

function recreated({ topic, topicId }: MirrorRow, found: string): MirrorFailure {
  const message =
    `The mirror's topic '${topic}' was deleted and made again by somebody else (topic id ${found}, it was ` +
    `${topicId}): delete it and mirror it anew`
  return failureText({ topicError: 'ILLEGAL_STATE', code: 'destination-changed', message })
}
