import { LinkspanError } from '../../base/errors.ts'
import { CreateMirror, KafkaMirror, KafkaMirrorList, mirrorStatuses } from '../../contract/kafka-v3.ts'
import type { MirrorView } from '../../mirror/mirrors.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route } from '../route.ts'
import { changesOf } from './config-input.ts'
import {
  clusterOf,
  isVisible,
  itemMetadata,
  linkAccess,
  linkOf,
  linkPath,
  linksPath,
  listOf,
  noContent,
  ok,
  urlOf,
  type V3Rooms,
} from './rooms.ts'

const collection = `${linkPath}/mirrors`
const statusQuery = { mirror_status: 'only those in this state' }

export function mirrorRoutes(rooms: V3Rooms): Route[] {
  return [listAllRoute(rooms), listRoute(rooms), getRoute(rooms), createRoute(rooms)]
}

/** A link named `-` cannot be: it stands for all of them. */
function listAllRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: `${linksPath}/-/mirrors`,
    summary: 'List the mirror topics of all cluster links',
    access: { kind: 'authenticated' },
    query: statusQuery,
    result: KafkaMirrorList,
    handler: (request) => {
      clusterOf(rooms, request)
      const views = rooms.mirrors.list().filter(({ link }) => link !== undefined && isVisible(request, link))
      return ok(showList(request, '-', views))
    },
  })
}

function listRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: collection,
    summary: 'List the mirror topics of a cluster link',
    access: linkAccess('can_view'),
    query: statusQuery,
    result: KafkaMirrorList,
    handler: (request) => {
      const link = linkOf(rooms, request)
      return ok(showList(request, link.name, rooms.mirrors.list(link)))
    },
  })
}

function getRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: `${collection}/:topic`,
    summary: 'Show a mirror topic',
    access: linkAccess('can_view'),
    query: { include_state_transition_errors: 'true: also what keeps it from its next state' },
    result: KafkaMirror,
    handler: (request) => {
      const view = rooms.mirrors.get(linkOf(rooms, request), request.param('topic'))
      const shown = showMirror(request, view)
      if (!request.flag('include_state_transition_errors')) return ok(shown)
      return ok({ ...shown, mirror_state_transition_errors: errorsOf(view) })
    },
  })
}

function createRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'POST',
    path: collection,
    summary: 'Make a mirror topic',
    access: linkAccess('can_edit'),
    query: { validate_only: 'true: say what would go wrong, and make nothing' },
    body: CreateMirror,
    handler: async (request) => {
      const link = linkOf(rooms, request)
      const { source_topic_name, mirror_topic_name, replication_factor, configs, adopt } = request.body
      const set = changesOf(configs ?? []).flatMap(({ name, value }) =>
        value === null ? [] : [[name, value] as const],
      )
      await rooms.mirrors.create({
        link: link.name,
        sourceTopic: source_topic_name,
        topic: mirror_topic_name ?? undefined,
        replicationFactor: replication_factor ?? undefined,
        configs: Object.fromEntries(set),
        adopt: adopt ?? false,
        validateOnly: request.flag('validate_only'),
        signal: request.signal,
      })
      return noContent()
    },
  })
}

function showList(request: ApiRequest, link: string, views: readonly MirrorView[]) {
  const status = request.query('mirror_status')?.toUpperCase()
  if (status && !(mirrorStatuses as readonly string[]).includes(status)) {
    throw new LinkspanError('invalid-request', `Expected "mirror_status" to be one of ${mirrorStatuses.join(', ')}`)
  }
  const shown = views.map((view) => showMirror(request, view))
  const data = status ? shown.filter(({ mirror_status }) => mirror_status === status) : shown
  return listOf('KafkaMirrorDataList', urlOf(request, request.param('cluster'), 'links', link, 'mirrors'), data)
}

function showMirror(request: ApiRequest, view: MirrorView): KafkaMirror {
  const { row } = view
  const link = view.link?.name ?? ''
  return {
    kind: 'KafkaMirrorData',
    metadata: itemMetadata(urlOf(request, request.param('cluster'), 'links', link, 'mirrors', row.topic)),
    link_name: link,
    mirror_topic_name: row.topic,
    source_topic_name: row.sourceTopic,
    num_partitions: row.partitions.length,
    mirror_lags: showLags(view),
    mirror_status: row.state.name,
    mirror_topic_error: row.state.name === 'FAILED' ? row.state.failure.topicError : 'NO_ERROR',
    state_time_ms: row.stateMs,
  }
}

export function showLags({ lags }: MirrorView): KafkaMirror['mirror_lags'] {
  return lags.map(({ partition, lagRecords, sourceHighWatermark, lagMs }) => ({
    partition,
    lag: lagRecords,
    last_source_fetch_offset: sourceHighWatermark,
    lag_ms: lagMs,
  }))
}

/** Why it failed, what keeps it from stopping, what is in a partition's way, and what came late after a stop. */
function errorsOf({
  row,
  lags,
  transitionErrors,
}: MirrorView): NonNullable<KafkaMirror['mirror_state_transition_errors']> {
  const failed = row.state.name === 'FAILED' ? [row.state.failure.message] : []
  const late = row.stop?.lateWrite ? [row.stop.lateWrite] : []
  const troubles = lags.flatMap(({ partition, trouble }) => (trouble ? [`Partition ${partition}: ${trouble}`] : []))
  return [
    ...[...failed, ...troubles, ...late].map((message) => ({
      error_code: 'INTERNAL_ERROR' as const,
      error_message: message,
    })),
    ...transitionErrors.map(({ code, message }) => ({ error_code: code, error_message: message })),
  ]
}
