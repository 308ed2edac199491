import { Backoff } from '../../base/backoff.ts'
import type { LinkspanError } from '../../base/errors.ts'
import { describeGroups as describeGroupsApi } from '../../wire/api/15-describe-groups.ts'
import { listGroups as listGroupsApi } from '../../wire/api/16-list-groups.ts'
import { deleteGroups as deleteGroupsApi } from '../../wire/api/42-delete-groups.ts'
import { consumerGroupDescribe } from '../../wire/api/69-consumer-group-describe.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { askCoordinators } from '../by-broker.ts'
import type { KafkaCluster } from '../cluster.ts'
import type { CallOptions } from '../cluster-options.ts'
import type { KafkaConnection } from '../connection.ts'
import { kafkaFailure } from '../failure.ts'
import { isConnectionFailure, retryStep } from '../retry.ts'
import type { Outcome, Reply } from '../rounds.ts'

export interface ListedGroup {
  group: string
  /** `classic`, `consumer`, `share`, `streams`; lower case. `classic` where the broker does not tell (before 3.8). */
  type: string
  /** `consumer` for consumers; `connect` for Connect workers; empty for offsets without a group protocol. */
  protocolType: string
  state: string
  coordinator: number
}

export interface GroupMember {
  memberId: string
  clientId: string
  clientHost: string
}

export interface DescribedGroup {
  group: string
  type: 'classic' | 'consumer'
  protocolType: string
  /** Kafka's word: `Empty`, `Stable`, `Dead`, … */
  state: string
  members: GroupMember[]
}

const pauses = { initialMs: 50, maxMs: 1000 }

/** All groups of the cluster that we may see: every broker is asked, as each knows only those that it coordinates. */
export async function listGroups(cluster: KafkaCluster, options: CallOptions = {}): Promise<ListedGroup[]> {
  const deadline = cluster.deadline(options)
  const backoff = new Backoff(pauses)
  for (;;) {
    try {
      await cluster.refresh([], deadline)
      const nodes = cluster.cache.brokers.map(({ nodeId }) => nodeId)
      const lists = await Promise.all(
        nodes.map(async (nodeId) => {
          const connection = await cluster.connection({ to: 'node', nodeId }, deadline)
          return await deadline.of(listAt(connection, nodeId))
        }),
      )
      // While a coordinator moves, two brokers may tell of one group.
      return [...new Map(lists.flat().map((group) => [group.group, group])).values()]
    } catch (error) {
      const passes = isConnectionFailure(error) || (error as LinkspanError).code === 'kafka-retriable'
      if (!passes || deadline.remainingMs <= 0) throw error
      await deadline.pause(backoff.nextMs(), error as Error)
    }
  }
}

async function listAt(connection: KafkaConnection, nodeId: number): Promise<ListedGroup[]> {
  const answer = await connection.request(listGroupsApi, {})
  if (answer.errorCode !== 0) {
    throw kafkaFailure(answer.errorCode, { operation: 'list the groups of', resource: `broker ${nodeId}` })
  }
  return answer.groups.map(({ groupId, protocolType, groupState, groupType }) => ({
    group: groupId,
    type: groupType.toLowerCase() || 'classic',
    protocolType,
    state: groupState,
    coordinator: nodeId,
  }))
}

/** State and members of groups of both protocols. A group that does not exist is `Dead`. */
export async function describeGroups(
  cluster: KafkaCluster,
  groups: readonly string[],
  options: CallOptions = {},
): Promise<Outcome<DescribedGroup>[]> {
  const items = groups.map((group) => ({ group }))
  return await askCoordinators(
    cluster,
    items,
    'describe',
    async (connection, asked) => {
      const names = asked.map(({ group }) => group)
      const replies = connection.versions.range(consumerGroupDescribe) ? await askConsumerGroups(connection, names) : []
      const found = replies.filter(({ errorCode }) => !isOtherProtocol(errorCode))
      const foundNames = new Set(found.map(({ key }) => key))
      const others = names.filter((name) => !foundNames.has(name))
      return others.length === 0 ? found : [...found, ...(await askClassicGroups(connection, others))]
    },
    options,
  )
}

/** Not a group of the newer protocol, or a broker that has it switched off. */
function isOtherProtocol(errorCode: number): boolean {
  return errorCode === kafkaErrors.GROUP_ID_NOT_FOUND || errorCode === kafkaErrors.UNSUPPORTED_VERSION
}

async function askConsumerGroups(connection: KafkaConnection, groupIds: string[]): Promise<Reply<DescribedGroup>[]> {
  const answer = await connection.request(consumerGroupDescribe, { groupIds })
  return answer.groups.map(({ groupId, errorCode, errorMessage, groupState, members }) => {
    const value: DescribedGroup = {
      group: groupId,
      type: 'consumer',
      protocolType: 'consumer',
      state: groupState,
      members: members.map(({ memberId, clientId, clientHost }) => ({ memberId, clientId, clientHost })),
    }
    return { key: groupId, errorCode, message: errorMessage, value }
  })
}

async function askClassicGroups(connection: KafkaConnection, groups: string[]): Promise<Reply<DescribedGroup>[]> {
  const answer = await connection.request(describeGroupsApi, { groups })
  return answer.groups.map(({ groupId, errorCode, errorMessage, groupState, protocolType, members }) => {
    const unknown = errorCode === kafkaErrors.GROUP_ID_NOT_FOUND
    const value: DescribedGroup = {
      group: groupId,
      type: 'classic',
      protocolType,
      state: unknown ? 'Dead' : groupState,
      members: members.map(({ memberId, clientId, clientHost }) => ({ memberId, clientId, clientHost })),
    }
    return { key: groupId, errorCode: unknown ? 0 : errorCode, message: errorMessage, value }
  })
}

/** Deletes groups without members, with all of their offsets. */
export function deleteGroups(
  cluster: KafkaCluster,
  groups: readonly string[],
  options: CallOptions = {},
): Promise<Outcome<true>[]> {
  return askCoordinators<{ group: string }, true>(
    cluster,
    groups.map((group) => ({ group })),
    'delete',
    async (connection, items) => {
      const answer = await connection.request(deleteGroupsApi, { groupsNames: items.map(({ group }) => group) })
      return answer.results.map(({ groupId, errorCode }) => ({ key: groupId, errorCode, value: true as const }))
    },
    options,
  )
}

/** One code for an answer that has one per partition: a group's own error stands at every one of them. */
export function commonError(codes: readonly number[]): number {
  const retriable = codes.find((code) => groupCodes.has(code) && retryStep(code) !== 'none')
  if (retriable !== undefined) return retriable
  const first = codes[0] ?? 0
  return groupCodes.has(first) && codes.every((code) => code === first) ? first : 0
}

const groupCodes: ReadonlySet<number> = new Set([
  kafkaErrors.COORDINATOR_LOAD_IN_PROGRESS,
  kafkaErrors.COORDINATOR_NOT_AVAILABLE,
  kafkaErrors.NOT_COORDINATOR,
  kafkaErrors.ILLEGAL_GENERATION,
  kafkaErrors.INVALID_GROUP_ID,
  kafkaErrors.UNKNOWN_MEMBER_ID,
  kafkaErrors.REBALANCE_IN_PROGRESS,
  kafkaErrors.GROUP_AUTHORIZATION_FAILED,
  kafkaErrors.GROUP_ID_NOT_FOUND,
  kafkaErrors.STALE_MEMBER_EPOCH,
  kafkaErrors.UNSTABLE_OFFSET_COMMIT,
])
