import { mirrorEntry } from './edits.ts'
import { isReservedName, topicNameProblem } from './names.ts'
import { done, type Outcome, type Refusal, refused } from './outcome.ts'
import { checkTopicConfigs, mirrorConfigKey } from './topic-configs.ts'

/** What a client wants to have made. −1: the broker's default, or what the assignments say. */
export interface NewTopic {
  readonly name: string
  readonly partitions: number
  readonly replicationFactor: number
  /** By hand; none: the broker chooses. */
  readonly assignments?: readonly { readonly partitionIndex: number; readonly brokerIds: readonly number[] }[]
  readonly configs?: readonly { readonly name: string; readonly value: string | null }[]
}

export interface JudgedTopic {
  name: string
  partitions: number
  configs: Record<string, string>
  mirrorId: string | null
}

/** What the judgement needs to know of the broker. */
export interface CreationFacts {
  nodeId: number
  partitionsDefault: number
  /** Of one topic. */
  partitionsMax: number
  /** How many more there may be in all. */
  partitionsLeft: number
  /** Our own daemon asks, so that the topic may become a mirror at once. */
  internal: boolean
  exists: (name: string) => boolean
  /** Another topic whose name cannot be told apart in metrics. */
  colliding: (name: string) => string | undefined
}

/** Judged in the order of Kafka's controller: name, configs, then partitions and replicas. */
export function judgeNewTopic(wanted: NewTopic, facts: CreationFacts): Outcome<JudgedTopic> {
  const { name } = wanted
  if (facts.exists(name)) return refused('TOPIC_ALREADY_EXISTS', `Topic '${name}' already exists.`)
  const problem = topicNameProblem(name)
  if (problem) return refused('INVALID_TOPIC_EXCEPTION', problem)
  const other = facts.colliding(name)
  if (other !== undefined) {
    return refused('INVALID_TOPIC_EXCEPTION', `Topic '${name}' collides with existing topic: ${other}`)
  }
  if (isReservedName(name)) {
    return refused('INVALID_TOPIC_EXCEPTION', `Creation of internal topic ${name} is prohibited.`)
  }
  const configs = judgeConfigs(wanted, facts.internal)
  if (!configs.ok) return configs
  const partitions = judgePartitions(wanted, facts)
  if (!partitions.ok) return partitions
  const tooMany = partitionsRefusal(partitions.value, partitions.value, facts)
  return tooMany ?? done({ name, partitions: partitions.value, ...configs.value })
}

function judgeConfigs(wanted: NewTopic, internal: boolean): Outcome<Pick<JudgedTopic, 'configs' | 'mirrorId'>> {
  const entries = wanted.configs ?? []
  const valueless = entries.filter(({ value }) => value === null).map(({ name }) => name)
  if (valueless.length > 0) {
    return refused('INVALID_CONFIG', `Null value not supported for topic configs: ${valueless.join(',')}`)
  }
  const given = Object.fromEntries(entries.map(({ name, value }) => [name, value as string]))
  const mirror = internal ? mirrorEntry(given[mirrorConfigKey]) : done(null)
  if (!mirror.ok) return mirror
  if (internal) delete given[mirrorConfigKey]
  const configs = checkTopicConfigs(given)
  return configs.ok ? done({ configs: configs.value, mirrorId: mirror.value }) : configs
}

function judgePartitions(wanted: NewTopic, { nodeId, partitionsDefault }: CreationFacts): Outcome<number> {
  const { partitions, replicationFactor, assignments = [] } = wanted
  if (assignments.length > 0) return judgeAssignments(wanted, nodeId)
  if (replicationFactor < -1 || replicationFactor === 0) {
    const rule = 'Replication factor must be larger than 0, or -1 to use the default value.'
    return refused('INVALID_REPLICATION_FACTOR', rule)
  }
  if (partitions < -1 || partitions === 0) {
    return refused('INVALID_PARTITIONS', 'Number of partitions was set to an invalid non-positive value.')
  }
  if (replicationFactor > 1) {
    const target = `The target replication factor of ${replicationFactor}`
    const reason = `${target} cannot be reached because only 1 broker(s) are registered.`
    const text = `Unable to replicate the partition ${replicationFactor} time(s): ${reason}`
    return refused('INVALID_REPLICATION_FACTOR', text)
  }
  return done(partitions === -1 ? partitionsDefault : partitions)
}

function judgeAssignments(wanted: NewTopic, nodeId: number): Outcome<number> {
  const { partitions, replicationFactor, assignments = [] } = wanted
  const manual = 'A manual partition assignment was specified, but'
  if (replicationFactor !== -1) return refused('INVALID_REQUEST', `${manual} replication factor was not set to -1.`)
  if (partitions !== -1) return refused('INVALID_REQUEST', `${manual} numPartitions was not set to -1.`)
  const seen = new Set<number>()
  for (const { partitionIndex, brokerIds } of assignments) {
    if (seen.has(partitionIndex)) {
      const text = `Found multiple manual partition assignments for partition ${partitionIndex}`
      return refused('INVALID_REPLICA_ASSIGNMENT', text)
    }
    seen.add(partitionIndex)
    const problem = assignmentProblem(brokerIds, nodeId)
    if (problem) return refused('INVALID_REPLICA_ASSIGNMENT', problem)
  }
  if (assignments.some((_, partition) => !seen.has(partition))) {
    const text = 'partitions should be a consecutive 0-based integer sequence'
    return refused('INVALID_REPLICA_ASSIGNMENT', text)
  }
  return done(assignments.length)
}

/** Why one partition cannot be put on these brokers; undefined when it is on this one alone. */
export function assignmentProblem(brokerIds: readonly number[], nodeId: number): string | undefined {
  const includes = 'The manual partition assignment includes'
  if (brokerIds.length === 0) return `${includes} an empty replica list.`
  const other = brokerIds.find((id) => id !== nodeId)
  if (other !== undefined) return `${includes} broker ${other}, but no such broker is registered.`
  return brokerIds.length > 1 ? `${includes} the broker ${nodeId} more than once.` : undefined
}

/** Undefined when a topic may have `count` partitions, of which `added` are new. */
export function partitionsRefusal(
  count: number,
  added: number,
  facts: Pick<CreationFacts, 'partitionsMax' | 'partitionsLeft'>,
): ({ ok: false } & Refusal) | undefined {
  if (count > facts.partitionsMax) {
    const text = `A topic of this broker has at most ${facts.partitionsMax} partitions, not ${count}`
    return refused('POLICY_VIOLATION', `${text}: use fewer, or keep the topic on Apache Kafka`)
  }
  if (added <= facts.partitionsLeft) return undefined
  const text = `This broker has room for ${facts.partitionsLeft} more partitions, not for ${added}`
  return refused('POLICY_VIOLATION', `${text}: delete topics that are not needed, or use Apache Kafka`)
}
