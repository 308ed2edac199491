import { LinkspanError } from '../../base/errors.ts'
import { escapeControl } from '../../base/log.ts'
import { offsetCommit } from '../../wire/api/08-offset-commit.ts'
import { offsetFetch } from '../../wire/api/09-offset-fetch.ts'
import { offsetDelete } from '../../wire/api/47-offset-delete.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { askCoordinators, groupByTopic } from '../by-broker.ts'
import type { KafkaCluster } from '../cluster.ts'
import type { CallOptions, TopicPartition } from '../cluster-options.ts'
import type { KafkaConnection } from '../connection.ts'
import { kafkaCodeOf, kafkaFailure } from '../failure.ts'
import type { Outcome, Reply } from '../rounds.ts'
import { commonError } from './groups.ts'

export interface CommittedOffset extends TopicPartition {
  offset: number
  /** Of the last record consumed; -1 when not given. */
  leaderEpoch: number
  /** The consumer's own text; null when there is none. */
  metadata: string | null
}

export interface PartitionFailure extends TopicPartition {
  error: LinkspanError
}

/** The names end there: later versions know topics by id only. */
const namedCommitMax = 9
const namedFetchMax = 9

export interface OffsetsOfGroup {
  offsets: CommittedOffset[]
  /** Partitions that Kafka does not let us read, or that are gone, or whose offset no log reaches. */
  failed: PartitionFailure[]
}

/** Committed offsets of many groups, all groups of one coordinator in one request; all topics unless named. */
export function fetchGroupOffsets(
  cluster: KafkaCluster,
  groups: readonly { group: string; partitions?: readonly TopicPartition[] }[],
  options: CallOptions & { requireStable?: boolean } = {},
): Promise<Outcome<OffsetsOfGroup>[]> {
  const { requireStable = false } = options
  return askCoordinators<{ group: string; partitions?: readonly TopicPartition[] }, OffsetsOfGroup>(
    cluster,
    groups,
    'read the offsets of',
    async (connection, items) => {
      const wanted = items.map(({ group, partitions }) => ({ groupId: group, topics: topicsOf(partitions) }))
      const body = { groups: wanted, requireStable }
      const answer = await connection.request(offsetFetch, body, { versionMax: namedFetchMax })
      return answer.groups.map(({ groupId, topics, errorCode }): Reply<OffsetsOfGroup> => {
        const offsets: CommittedOffset[] = []
        const failed: PartitionFailure[] = []
        const codes: number[] = []
        for (const { name, partitions } of topics) {
          for (const one of partitions) {
            const at = { topic: name, partition: one.partitionIndex }
            codes.push(one.errorCode)
            if (one.errorCode !== 0) failed.push(partitionFailure('read the offset of', groupId, at, one.errorCode))
            else if (one.committedOffset > Number.MAX_SAFE_INTEGER) {
              failed.push({ ...at, error: beyondLogs(groupId, at, one.committedOffset) })
            } else if (one.committedOffset >= 0) {
              const { committedOffset, committedLeaderEpoch: leaderEpoch, metadata } = one
              offsets.push({ ...at, offset: Number(committedOffset), leaderEpoch, metadata })
            }
          }
        }
        return { key: groupId, errorCode: errorCode || commonError(codes), value: { offsets, failed } }
      })
    },
    options,
  )
}

/** Brokers check no offset that is committed, so a client's mistake is no reason to give up the group's others. */
function beyondLogs(group: string, { topic, partition }: TopicPartition, offset: bigint): LinkspanError {
  const text =
    `Group ${escapeControl(group)} has committed offset ${offset} for ${escapeControl(topic)}-${partition}, ` +
    'which no log reaches: commit a real one'
  return new LinkspanError('too-large', text, { details: { group, topic, partition, offset: String(offset) } })
}

function topicsOf(partitions: readonly TopicPartition[] | undefined) {
  if (!partitions) return null
  return groupByTopic(partitions).map(({ topic, items }) => {
    return { name: topic, partitionIndexes: items.map(({ partition }) => partition) }
  })
}

export interface GroupCommit {
  group: string
  offsets: readonly (TopicPartition & { offset: number; metadata?: string | null })[]
}

/**
 * Commits offsets from outside of a group: generation -1, no member, as Kafka's admin client does. The broker takes
 * that only while the group has no members (`groupIsActive` of the error), and takes any offset: the caller clamps.
 * The leader epoch is -1, because source epochs mean nothing at the destination.
 */
export function commitGroupOffsets(
  cluster: KafkaCluster,
  commits: readonly GroupCommit[],
  options: CallOptions = {},
): Promise<Outcome<{ failed: PartitionFailure[] }>[]> {
  return askCoordinators<GroupCommit, { failed: PartitionFailure[] }>(
    cluster,
    commits,
    'commit offsets of',
    (connection, items) => Promise.all(items.map((item) => commitOne(connection, item))),
    options,
  )
}

async function commitOne(connection: KafkaConnection, commit: GroupCommit) {
  const topics = groupByTopic(commit.offsets).map(({ topic, items }) => ({
    name: topic,
    partitions: items.map(({ partition, offset, metadata = '' }) => {
      return { partitionIndex: partition, committedOffset: offset, committedMetadata: metadata }
    }),
  }))
  const body = { groupId: commit.group, generationIdOrMemberEpoch: -1, memberId: '', topics }
  const answer = await connection.request(offsetCommit, body, { versionMax: namedCommitMax })
  return replyOf('commit the offset of', commit.group, 0, answer.topics)
}

/** Whether a commit or deletion was refused because the group has members: it has moved here, and is its own master. */
export function groupIsActive(error: unknown): boolean {
  return activeCodes.has(kafkaCodeOf(error) ?? 0)
}

const activeCodes: ReadonlySet<number> = new Set([
  kafkaErrors.UNKNOWN_MEMBER_ID,
  kafkaErrors.ILLEGAL_GENERATION,
  kafkaErrors.REBALANCE_IN_PROGRESS,
  kafkaErrors.STALE_MEMBER_EPOCH,
  kafkaErrors.NON_EMPTY_GROUP,
  kafkaErrors.GROUP_SUBSCRIBED_TO_TOPIC,
])

export interface OffsetDeletion {
  group: string
  partitions: readonly TopicPartition[]
}

/** Deletes offsets of topics to which no member subscribes. */
export function deleteGroupOffsets(
  cluster: KafkaCluster,
  deletions: readonly OffsetDeletion[],
  options: CallOptions = {},
): Promise<Outcome<{ failed: PartitionFailure[] }>[]> {
  return askCoordinators<OffsetDeletion, { failed: PartitionFailure[] }>(
    cluster,
    deletions,
    'delete offsets of',
    (connection, items) => Promise.all(items.map((item) => deleteOne(connection, item))),
    options,
  )
}

async function deleteOne(connection: KafkaConnection, { group, partitions }: OffsetDeletion) {
  const topics = groupByTopic(partitions).map(({ topic, items }) => {
    return { name: topic, partitions: items.map(({ partition }) => ({ partitionIndex: partition })) }
  })
  const answer = await connection.request(offsetDelete, { groupId: group, topics })
  return replyOf('delete the offset of', group, answer.errorCode, answer.topics)
}

function replyOf(
  operation: string,
  group: string,
  errorCode: number,
  topics: readonly { name: string; partitions: readonly { partitionIndex: number; errorCode: number }[] }[],
): Reply<{ failed: PartitionFailure[] }> {
  const results = topics.flatMap(({ name, partitions }) => {
    return partitions.map((one) => ({ topic: name, partition: one.partitionIndex, code: one.errorCode }))
  })
  const failed = results
    .filter(({ code }) => code !== 0)
    .map(({ topic, partition, code }) => partitionFailure(operation, group, { topic, partition }, code))
  return { key: group, errorCode: errorCode || commonError(results.map(({ code }) => code)), value: { failed } }
}

function partitionFailure(operation: string, group: string, at: TopicPartition, code: number): PartitionFailure {
  const resource = `group ${group} in partition ${at.topic}-${at.partition}`
  return { ...at, error: kafkaFailure(code, { operation, resource }) }
}
