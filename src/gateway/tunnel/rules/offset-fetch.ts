import { offsetFetch } from '../../../wire/api/09-offset-fetch.ts'
import type { RequestOf, ResponseOf } from '../../../wire/schema.ts'
import type { TunnelRights } from '../rights.ts'
import { defineRule, type RuleContext, sift, split } from '../rule.ts'

type Request = RequestOf<typeof offsetFetch>
type AskedGroup = Request['groups'][number]
type Group = ResponseOf<typeof offsetFetch>['groups'][number]
type AskedTopic = { name: string; partitionIndexes: number[] }
type Topic = { name: string; partitions: { partitionIndex: number }[] }

/** One group up to v7, many from v8 on, topic ids from v10 on: those stay outside. No member's name is passed on. */
export const offsetFetchRule = defineRule({
  api: offsetFetch,
  versions: [1, 9],
  admit: (request, context) => (context.version < 8 ? admitOne(request, context) : admitMany(request, context)),
})

function admitOne(request: Request, { rights }: RuleContext) {
  const { groupId, topics } = request
  const visible = rights.mayViewGroup(groupId)
  const { seen, hidden } = splitTopics(topics, visible ? rights : nothing)
  // From v2 on null asks for all; an empty list has nothing to ask for.
  const forward = visible && seen?.length !== 0 ? { ...request, topics: seen } : undefined
  return {
    forward,
    answer: (source: ResponseOf<typeof offsetFetch> | undefined, rightsNow: TunnelRights) => ({
      ...source,
      topics: answered(source?.topics ?? [], seen, hidden, narrow(rightsNow, groupId)),
    }),
  }
}

function admitMany(request: Request, { rights }: RuleContext) {
  const { seen, hidden } = split(request.groups, ({ groupId }) => rights.mayViewGroup(groupId))
  const asked = new Map(seen.map(({ groupId, topics }) => [groupId, splitTopics(topics, rights)]))
  const groups = [...asked].map(([groupId, { seen: topics }]) => ({ groupId, topics }))
  return {
    forward: groups.length > 0 ? { groups, requireStable: request.requireStable } : undefined,
    answer: (source: ResponseOf<typeof offsetFetch> | undefined, rightsNow: TunnelRights) => {
      const shown = (source?.groups ?? []).flatMap(({ groupId, errorCode, topics }: Group) => {
        const parts = asked.get(groupId)
        if (!parts) return []
        const told = answered(topics, parts.seen, parts.hidden, narrow(rightsNow, groupId))
        return [{ groupId, errorCode: rightsNow.mayViewGroup(groupId) ? errorCode : 0, topics: told }]
      })
      return { throttleTimeMs: source?.throttleTimeMs ?? 0, groups: [...shown, ...hidden.map(missingGroup)] }
    },
  }
}

/** A group without commits. */
function missingGroup({ groupId, topics }: AskedGroup) {
  return { groupId, topics: (topics ?? []).map(({ name, partitionIndexes }) => uncommitted(name, partitionIndexes)) }
}

const nothing: Pick<TunnelRights, 'mayViewTopic'> = { mayViewTopic: () => false }

/** The rights to topics that count for a group: none when the group itself may not be seen. */
function narrow(rights: TunnelRights, groupId: string): Pick<TunnelRights, 'mayViewTopic'> {
  return rights.mayViewGroup(groupId) ? rights : nothing
}

function splitTopics(topics: AskedTopic[] | null, rights: Pick<TunnelRights, 'mayViewTopic'>) {
  if (topics === null) return { seen: null, hidden: [] as AskedTopic[] }
  return split(topics, ({ name }) => rights.mayViewTopic(name))
}

const nameOf = ({ name }: { name: string }) => name

/** `seen` null: all were asked for, and only what may be seen is told. */
function answered<T extends Topic>(
  topics: T[],
  seen: AskedTopic[] | null,
  hidden: AskedTopic[],
  rights: Pick<TunnelRights, 'mayViewTopic'>,
) {
  const now = sift(topics, nameOf, (seen ?? topics).map(nameOf), rights.mayViewTopic)
  const indexesOf = (topic: T) => topic.partitions.map(({ partitionIndex }) => partitionIndex)
  const revoked = seen === null ? [] : now.hidden.map((topic) => uncommitted(topic.name, indexesOf(topic)))
  return [...now.seen, ...revoked, ...hidden.map(({ name, partitionIndexes }) => uncommitted(name, partitionIndexes))]
}

function uncommitted(name: string, partitionIndexes: number[]) {
  return {
    name,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      committedOffset: -1n,
      committedLeaderEpoch: -1,
      metadata: '',
      errorCode: 0,
    })),
  }
}
