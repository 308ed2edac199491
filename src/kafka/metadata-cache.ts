import type { BrokerAddress } from '../transport/dialler.ts'
import type { metadata } from '../wire/api/03-metadata.ts'
import { kafkaErrors } from '../wire/errors.ts'
import type { ResponseOf } from '../wire/schema.ts'
import { zeroUuid } from '../wire/schema.ts'

export interface PartitionMetadata {
  partition: number
  /** -1 while there is none. */
  leader: number
  /** -1 where the broker does not tell. */
  leaderEpoch: number
  replicas: number[]
  inSync: number[]
  errorCode: number
}

export interface TopicMetadata {
  name: string
  /** All zeroes where the broker does not tell. */
  topicId: string
  internal: boolean
  /** By partition number; without gaps. */
  partitions: PartitionMetadata[]
}

/** More than any cluster has; beyond it the topics asked for longest ago are forgotten, and asked for again. */
const topicsMax = 200_000
const partitionsMax = 100_000

type Answer = ResponseOf<typeof metadata>

/** What the last metadata answers said. */
export class MetadataCache {
  clusterId: string | undefined
  controllerId = -1
  brokers: (BrokerAddress & { rack: string | null })[] = []
  readonly #topics = new Map<string, TopicMetadata>()
  readonly #errors = new Map<string, number>()
  readonly #names = new Map<string, string>()

  topic(name: string): TopicMetadata | undefined {
    return this.#topics.get(name)
  }

  /** Why the topic is not here: Kafka's code of the last answer about it; 0 when it was never asked for. */
  topicError(name: string): number {
    return this.#errors.get(name) ?? 0
  }

  nameOf(topicId: string): string | undefined {
    return this.#names.get(topicId)
  }

  topics(): TopicMetadata[] {
    return [...this.#topics.values()]
  }

  hasBroker(nodeId: number): boolean {
    return this.brokers.some((broker) => broker.nodeId === nodeId)
  }

  /** `complete`: all topics were asked for, so that those which are missing are gone. */
  apply(answer: Answer, complete: boolean): void {
    this.clusterId = answer.clusterId ?? this.clusterId
    this.controllerId = answer.controllerId
    this.brokers = answer.brokers
    if (complete) {
      for (const map of [this.#topics, this.#errors, this.#names]) map.clear()
    }
    for (const topic of answer.topics) this.#applyTopic(topic)
  }

  #applyTopic(topic: Answer['topics'][number]): void {
    const { name, topicId, errorCode } = topic
    if (name === null) return
    this.#forget(name)
    if (errorCode !== 0) {
      trim(this.#errors)
      this.#errors.set(name, errorCode)
      return
    }
    const partitions = partitionsOf(topic)
    if (!partitions) {
      this.#errors.set(name, kafkaErrors.UNKNOWN_SERVER_ERROR)
      return
    }
    const oldest = trim(this.#topics)
    if (oldest) this.#names.delete(oldest.topicId)
    this.#topics.set(name, { name, topicId, internal: topic.isInternal, partitions })
    if (topicId !== zeroUuid) this.#names.set(topicId, name)
  }

  #forget(name: string): void {
    const known = this.#topics.get(name)
    if (known) this.#names.delete(known.topicId)
    this.#topics.delete(name)
    this.#errors.delete(name)
  }
}

function trim<T>(map: Map<string, T>): T | undefined {
  if (map.size < topicsMax) return undefined
  const [name, value] = map.entries().next().value as [string, T]
  map.delete(name)
  return value
}

/** Undefined when the numbers are not 0, 1, 2 …: then the answer is not Kafka's, and nothing is built on it. */
function partitionsOf(topic: Answer['topics'][number]): PartitionMetadata[] | undefined {
  if (topic.partitions.length > partitionsMax) return undefined
  const partitions = topic.partitions
    .map((one) => ({
      partition: one.partitionIndex,
      leader: one.leaderId,
      leaderEpoch: one.leaderEpoch,
      replicas: one.replicaNodes,
      inSync: one.isrNodes,
      errorCode: one.errorCode,
    }))
    .sort((left, right) => left.partition - right.partition)
  return partitions.every((one, index) => one.partition === index) ? partitions : undefined
}
