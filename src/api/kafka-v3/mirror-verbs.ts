import { explainError, isLinkspanError, LinkspanError } from '../../base/errors.ts'
import {
  type AlteredMirror,
  AlteredMirrorList,
  AlterMirrors,
  type MirrorVerb,
  mirrorVerbs,
} from '../../contract/kafka-v3.ts'
import type { LinkRow } from '../../link/rows.ts'
import type { MirrorEvent } from '../../mirror/lifecycle.ts'
import type { MirrorView } from '../../mirror/mirrors.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route } from '../route.ts'
import { v3Failure } from './dialect.ts'
import { selectMirrors } from './mirror-selection.ts'
import { showLags } from './mirrors.ts'
import { itemMetadata, linkAccess, linkOf, linkPath, listOf, ok, urlOf, type V3Rooms } from './rooms.ts'

/** What the verbs that are there ask of a mirror. */
const wishes: Partial<Record<MirrorVerb, MirrorEvent>> = {
  promote: { kind: 'stop', how: 'promote' },
  failover: { kind: 'stop', how: 'failover' },
  pause: { kind: 'pause' },
  resume: { kind: 'resume' },
}

export function mirrorVerbRoutes(rooms: V3Rooms): Route[] {
  const verbs = Object.entries(mirrorVerbs) as [MirrorVerb, readonly string[]][]
  return verbs.flatMap(([verb, aliases]) => [verb, ...aliases].map((name) => verbRoute(rooms, verb, name)))
}

/** The answer is 200 whatever becomes of the single topics: each item tells. */
function verbRoute(rooms: V3Rooms, verb: MirrorVerb, name: string): Route {
  return defineRoute({
    method: 'POST',
    path: `${linkPath}/mirrors::${name}`,
    summary: `${verb} mirror topics`,
    access: linkAccess('can_edit'),
    query: { validate_only: 'true: say what would go wrong, and change nothing' },
    body: AlterMirrors,
    result: AlteredMirrorList,
    handler: async (request) => {
      const link = linkOf(rooms, request)
      const topics = selectMirrors(
        request.body,
        rooms.mirrors.list(link).map(({ row }) => row.topic),
      )
      const items: AlteredMirror[] = []
      for (const topic of topics) items.push(await alterOne(rooms, request, { link, topic, verb }))
      const self = urlOf(request, request.param('cluster'), 'links', link.name, `mirrors:${name}`)
      return ok(listOf('KafkaAlterMirrorsDataList', self, items))
    },
  })
}

/** Undefined for a verb that is not there. */
function wishOf(verb: MirrorVerb, fenceSource: boolean): MirrorEvent | undefined {
  const event = wishes[verb]
  if (!fenceSource) return event
  if (verb === 'promote') return { kind: 'stop', how: 'promote', fenceSource }
  throw new LinkspanError('invalid-request', `"fence_source" goes with promote, not with ${verb}`)
}

interface Wish {
  link: LinkRow
  topic: string
  verb: MirrorVerb
}

async function alterOne(rooms: V3Rooms, request: ApiRequest<AlterMirrors>, wish: Wish): Promise<AlteredMirror> {
  try {
    return item(request, wish, { view: await fulfil(rooms, request, wish) })
  } catch (error) {
    if (!isLinkspanError(error)) throw error
    return item(request, wish, { error })
  }
}

async function fulfil(
  { mirrors }: V3Rooms,
  request: ApiRequest<AlterMirrors>,
  { link, topic, verb }: Wish,
): Promise<MirrorView> {
  if (verb === 'unfence-source') {
    return request.flag('validate_only') ? mirrors.get(link, topic) : await mirrors.unfenceSource(link, topic)
  }
  const event = wishOf(verb, request.body.fence_source ?? false)
  if (!event) {
    const wayOut = 'promote the mirror, then make one in the other direction with --adopt'
    throw new LinkspanError('unsupported', `${verb} is not there yet: ${wayOut}`)
  }
  if (request.flag('validate_only')) return mirrors.check(link, topic, event)
  return await mirrors.wish(link, topic, event)
}

function item(
  request: ApiRequest,
  { link, topic, verb }: Wish,
  { view, error }: { view?: MirrorView; error?: LinkspanError },
): AlteredMirror {
  const self = urlOf(request, request.param('cluster'), 'links', link.name, 'mirrors', topic)
  return {
    kind: 'AlterMirrorsData',
    metadata: itemMetadata(self),
    mirror_topic_name: topic,
    error_code: error ? v3Failure(error).status : null,
    error_message: error ? `Cannot ${verb}: ${explainError(error)}` : null,
    mirror_lags: view ? showLags(view) : [],
    messages_truncated: null,
    partition_level_truncation_data: null,
  }
}
