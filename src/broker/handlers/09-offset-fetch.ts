import { offsetFetch } from '../../wire/api/09-offset-fetch.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { RequestOf } from '../../wire/schema.ts'
import { zeroUuid } from '../../wire/schema.ts'
import { mayGroup } from '../groups/rights.ts'
import type { CommittedOffset } from '../groups/types.ts'
import { answer, defineHandler, type RequestContext } from './handler.ts'
import { topicById } from './partitions.ts'
import { mayTopic } from './topic-rights.ts'

type AskedTopic = NonNullable<RequestOf<typeof offsetFetch>['groups'][number]['topics']>[number]

interface FetchedGroup {
  errorCode: number
  topics: FetchedTopic[]
}

interface FetchedTopic {
  name: string
  topicId: string
  partitions: FetchedPartition[]
}

interface FetchedPartition {
  partitionIndex: number
  committedOffset: bigint
  committedLeaderEpoch: number
  metadata: string
  errorCode: number
}

const groupErrorVersion = 2
const manyGroupsVersion = 8
const topicIdVersion = 10

/**
 * What a group has committed; −1 where there is nothing, also when there is no such group. Nothing is ever undecided,
 * so there is nothing that `requireStable` could wait for.
 */
export const offsetFetchHandler = defineHandler<typeof offsetFetch>({
  api: offsetFetch,
  versions: offsetFetch.versions,
  handle(request, context) {
    if (context.version >= manyGroupsVersion) {
      const groups = request.groups.map(({ groupId, topics }) => ({ groupId, ...fetchGroup(groupId, topics, context) }))
      return answer<typeof offsetFetch>({ groups })
    }
    const topics = request.topics?.map((topic) => ({ ...topic, topicId: zeroUuid })) ?? null
    return answer<typeof offsetFetch>(fetchGroup(request.groupId, topics, context))
  },
})

function fetchGroup(groupId: string, asked: AskedTopic[] | null, context: RequestContext): FetchedGroup {
  if (!mayGroup(context.session, 'can_view', groupId)) {
    const errorCode = kafkaErrors.GROUP_AUTHORIZATION_FAILED
    // The first version has no place for an error of the group.
    const inEach = context.version < groupErrorVersion
    return { errorCode, topics: inEach ? (asked ?? []).map((topic) => refused(topic, errorCode)) : [] }
  }
  const topics = asked ? asked.map((topic) => fetchTopic(groupId, topic, context)) : fetchAll(groupId, context)
  return { errorCode: 0, topics }
}

function fetchTopic(groupId: string, asked: AskedTopic, { node, session, version }: RequestContext): FetchedTopic {
  let { name } = asked
  if (version >= topicIdVersion) {
    const { code, topic } = topicById(node, session, 'can_view', asked.topicId)
    if (!topic) return refused(asked, code)
    name = topic.name
  } else if (!mayTopic(session, 'can_view', name)) {
    return refused(asked, kafkaErrors.TOPIC_AUTHORIZATION_FAILED)
  }
  const partitions = asked.partitionIndexes.map((partition) => {
    return shown(partition, node.groups.offset(groupId, { topic: name, partition }))
  })
  return { name, topicId: asked.topicId, partitions }
}

/** By topic id only those that exist can be told. */
function fetchAll(groupId: string, { node, session, version }: RequestContext): FetchedTopic[] {
  const topics = new Map<string, FetchedTopic>()
  for (const { topic: name, partition, committed } of node.groups.offsets(groupId)) {
    const topicId = node.catalog.get(name)?.topicId ?? zeroUuid
    if (!mayTopic(session, 'can_view', name) || (version >= topicIdVersion && topicId === zeroUuid)) continue
    const topic = topics.get(name) ?? { name, topicId, partitions: [] }
    topics.set(name, topic)
    topic.partitions.push(shown(partition, committed))
  }
  return [...topics.values()]
}

function shown(partitionIndex: number, committed: CommittedOffset | undefined, errorCode = 0): FetchedPartition {
  return {
    partitionIndex,
    committedOffset: BigInt(committed?.offset ?? -1),
    committedLeaderEpoch: committed?.leaderEpoch ?? -1,
    metadata: committed?.metadata ?? '',
    errorCode,
  }
}

function refused({ name, topicId, partitionIndexes }: AskedTopic, errorCode: number): FetchedTopic {
  return { name, topicId, partitions: partitionIndexes.map((index) => shown(index, undefined, errorCode)) }
}
