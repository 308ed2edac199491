import { offsetCommit } from '../../wire/api/08-offset-commit.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { RequestOf } from '../../wire/schema.ts'
import { mayGroup } from '../groups/rights.ts'
import type { CommitPartition } from '../groups/types.ts'
import { answer, defineHandler, type HandlerAnswer, type RequestContext } from './handler.ts'
import { type FoundTopic, topicById, topicByName } from './partitions.ts'

type Request = RequestOf<typeof offsetCommit>
type AskedTopic = Request['topics'][number]

const topicIdVersion = 10
const missingGroupVersion = 9

/** Answered once it is on disk. As Apache does, it asks whether the topic exists, not whether the partition does. */
export const offsetCommitHandler = defineHandler<typeof offsetCommit>({
  api: offsetCommit,
  versions: offsetCommit.versions,
  async handle(request, context) {
    if (!mayGroup(context.session, 'can_edit', request.groupId)) {
      return answerEach(request, () => kafkaErrors.GROUP_AUTHORIZATION_FAILED)
    }
    const found = request.topics.map((topic) => find(topic, context))
    const partitions = request.topics.flatMap((topic, index) => partitionsOf(topic, found[index]!))
    if (partitions.length === 0) return answerEach(request, (index) => found[index]!.code)
    const errors = await context.node.groups.commit({
      groupId: request.groupId,
      memberId: request.memberId,
      instanceId: request.groupInstanceId,
      generation: request.generationIdOrMemberEpoch,
      retentionMs: request.retentionTimeMs,
      tellsMissingGroup: context.version >= missingGroupVersion,
      partitions,
    })
    let next = 0
    return answerEach(request, (index) => {
      const { code, topic } = found[index]!
      return topic ? kafkaErrors[errors[next++]!] : code
    })
  },
})

function find(topic: AskedTopic, { node, session, version }: RequestContext): FoundTopic {
  if (version >= topicIdVersion) return topicById(node, session, 'can_read', topic.topicId)
  return topicByName(node, session, 'can_read', topic.name)
}

function partitionsOf({ partitions }: AskedTopic, { topic }: FoundTopic): CommitPartition[] {
  if (!topic) return []
  return partitions.map((partition) => ({
    topic: topic.name,
    partition: partition.partitionIndex,
    offset: partition.committedOffset,
    leaderEpoch: partition.committedLeaderEpoch,
    metadata: partition.committedMetadata ?? '',
  }))
}

/** `codeOf` is asked for each partition in the order of the request. */
function answerEach(request: Request, codeOf: (topicIndex: number) => number): HandlerAnswer<typeof offsetCommit> {
  const topics = request.topics.map(({ name, topicId, partitions }, index) => ({
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: codeOf(index) })),
  }))
  return answer<typeof offsetCommit>({ topics })
}
