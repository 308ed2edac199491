import type { fetch } from '../../wire/api/01-fetch.ts'
import type { RequestInput } from '../../wire/schema.ts'
import type { PumpPartition } from './partition.ts'

/**
 * The highest that the tunnel lets through. From 13 on topics are named by id, so that a topic made anew is noticed.
 */
export const fetchVersionMax = 15
const byIdVersion = 13
const partitionBytesMin = 64 * 1024
const partitionBytesMax = 1024 * 1024

/** A partition as it was when it was asked for. */
export interface FetchPart {
  partition: PumpPartition
  generation: number
  offset: number
}

export interface FetchPlan {
  body: RequestInput<typeof fetch>
  waitMs: number
  find(topic: { topic: string; topicId: string }, index: number): FetchPart | undefined
}

/**
 * A fetch without session of all these partitions. Brokers fill the answer in the order of the request, so the order is
 * rotated, and a partition whose next batch did not fit comes first.
 */
export function planFetch(
  able: PumpPartition[],
  options: {
    version: number
    waitMs: number
    fetchBytes: number
    rotation: number
    leaderEpoch: (partition: PumpPartition) => number
  },
): FetchPlan {
  const { version, waitMs, fetchBytes, rotation, leaderEpoch } = options
  const rotated = [...able.slice(rotation), ...able.slice(0, rotation)]
  const ordered = [...rotated.filter((one) => one.hungry), ...rotated.filter((one) => !one.hungry)]
  const share = Math.floor(fetchBytes / ordered.length)
  const partitionBytes = Math.min(partitionBytesMax, Math.max(partitionBytesMin, share))
  const byId = version >= byIdVersion
  const topics = new Map<string, PlannedTopic>()
  for (const partition of ordered) {
    const { sourceTopic, sourceTopicId, partition: index } = partition.start
    const key = byId ? sourceTopicId : sourceTopic
    let topic = topics.get(key)
    if (!topic) {
      topic = { topic: sourceTopic, topicId: sourceTopicId, partitions: [], parts: new Map() }
      topics.set(key, topic)
    }
    topic.parts.set(index, { partition, generation: partition.generation, offset: partition.nextOffset })
    topic.partitions.push({
      partition: index,
      currentLeaderEpoch: leaderEpoch(partition),
      fetchOffset: partition.nextOffset,
      lastFetchedEpoch: partition.lastFetchedEpoch,
      partitionMaxBytes: partitionBytes,
    })
  }
  const body = {
    maxWaitMs: waitMs,
    minBytes: 1,
    maxBytes: Math.max(fetchBytes, partitionBytesMin),
    topics: [...topics.values()].map(({ topic, topicId, partitions }) => ({ topic, topicId, partitions })),
  }
  return {
    body,
    waitMs,
    find: (answer, index) => topics.get(byId ? answer.topicId : answer.topic)?.parts.get(index),
  }
}

interface PlannedTopic {
  topic: string
  topicId: string
  partitions: {
    partition: number
    currentLeaderEpoch: number
    fetchOffset: number
    lastFetchedEpoch: number
    partitionMaxBytes: number
  }[]
  parts: Map<number, FetchPart>
}
