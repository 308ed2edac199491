import { LinkspanError } from '../../base/errors.ts'
import { shortId } from '../../base/ids.ts'
import { configValue } from '../../contract/config-keys.ts'
import { CreateLink, KafkaLink, KafkaLinkList, stateCategories } from '../../contract/kafka-v3.ts'
import type { LinkRow } from '../../link/rows.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route } from '../route.ts'
import { linkCreated, linkDeleted } from '../v1/cluster-link-events.ts'
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

export function linkRoutes(rooms: V3Rooms): Route[] {
  return [listRoute(rooms), createRoute(rooms), getRoute(rooms), deleteRoute(rooms)]
}

function listRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: linksPath,
    summary: 'List cluster links',
    access: { kind: 'authenticated' },
    result: KafkaLinkList,
    handler: (request) => {
      const cluster = clusterOf(rooms, request)
      const visible = rooms.links.list().filter((link) => isVisible(request, link))
      const links = visible.map((link) => showLink(rooms, request, link))
      return ok(listOf('KafkaLinkDataList', urlOf(request, cluster, 'links'), links))
    },
  })
}

function createRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'POST',
    path: linksPath,
    summary: 'Make a cluster link straight to the bootstrap servers of another Kafka cluster',
    access: {
      kind: 'entitlement',
      entitlement: 'can_create_cluster_links',
      entity: () => ({ type: 'server', name: '' }),
    },
    query: {
      link_name: 'its name',
      validate_only: 'true: say what would go wrong, and make nothing',
      validate_link: 'false: make it even if the other side cannot be reached',
    },
    body: CreateLink,
    handler: async (request) => {
      clusterOf(rooms, request)
      const { configs, source_cluster_id, remote_cluster_id } = request.body
      const sourceClusterId = source_cluster_id || remote_cluster_id
      const validateOnly = request.flag('validate_only')
      const link = await rooms.links.createKafkaLink({
        name: request.query('link_name') ?? '',
        configs: changesOf(configs ?? []),
        ...(sourceClusterId ? { sourceClusterId } : {}),
        validateLink: request.flag('validate_link', true),
        validateOnly,
        signal: request.signal,
      })
      if (!validateOnly) linkCreated(rooms, request, link)
      return noContent()
    },
  })
}

function getRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: linkPath,
    summary: 'Show a cluster link',
    access: linkAccess('can_view'),
    query: { include_tasks: 'true: also what runs for it beside its data' },
    result: KafkaLink,
    handler: (request) => {
      const link = linkOf(rooms, request)
      const shown = showLink(rooms, request, link)
      return ok(request.flag('include_tasks') ? { ...shown, tasks: tasksOf(rooms, link) } : shown)
    },
  })
}

function deleteRoute(rooms: V3Rooms): Route {
  return defineRoute({
    method: 'DELETE',
    path: linkPath,
    summary: 'Delete a cluster link',
    access: linkAccess('can_delete'),
    query: {
      force: 'true: turn its live mirrors into ordinary topics first',
      validate_only: 'true: say what would go wrong, and delete nothing',
    },
    handler: async (request) => {
      const link = linkOf(rooms, request)
      const force = request.flag('force')
      if (request.flag('validate_only')) {
        const uses = force ? [] : rooms.links.usesOf(link)
        if (uses.length > 0) throw new LinkspanError('in-use', `It carries live mirrors: ${uses.join(', ')}`)
      } else linkDeleted(rooms, request, await rooms.links.delete(link.name, { force }))
      return noContent()
    },
  })
}

function tasksOf({ mirrors }: V3Rooms, link: LinkRow): NonNullable<KafkaLink['tasks']> {
  return mirrors.linkView(link).tasks.map(({ name, state, errors }) => ({
    task_name: name,
    state,
    errors: errors.map(({ code, message }) => ({ error_code: code, error_message: message })),
  }))
}

function showLink(rooms: V3Rooms, request: ApiRequest, link: LinkRow): KafkaLink {
  const cluster = clusterOf(rooms, request)
  const views = rooms.mirrors.list(link)
  const lags = views.flatMap((view) => view.lags)
  const remote = link.remoteKafkaClusterId ?? null
  const mode = modeOf(link)
  return {
    kind: 'KafkaLinkData',
    metadata: itemMetadata(urlOf(request, cluster, 'links', link.name)),
    source_cluster_id: mode === 'DESTINATION' ? remote : null,
    destination_cluster_id: mode === 'SOURCE' ? remote : null,
    remote_cluster_id: mode === 'SOURCE' ? null : remote,
    link_name: link.name,
    link_id: link.id,
    cluster_link_id: shortId(link.id),
    topic_names: views.map(({ row }) => row.topic),
    ...stateOf(rooms, link),
    category_counts: stateCategories.map((category) => ({
      state_category: category,
      count: lags.filter((lag) => lag.category === category).length,
    })),
  }
}

/** Which way data flows, in Confluent's words: a pair that a token made goes both ways. */
function modeOf(link: LinkRow): string | null {
  if (link.reach === 'peer' && link.type === 'bidirectional') return 'BIDIRECTIONAL'
  return configValue(link.config, 'link.mode')
}

function stateOf(
  { mirrors }: V3Rooms,
  link: LinkRow,
): Pick<KafkaLink, 'link_state' | 'link_error' | 'link_error_message'> {
  if (link.state === 'pending') {
    const waits =
      link.type === 'public' ? 'certificate of this link has not been accepted' : 'token of this link has not been used'
    const text = `The ${waits} yet`
    return { link_state: 'UNAVAILABLE', link_error: 'NO_ERROR', link_error_message: text }
  }
  if (configValue(link.config, 'cluster.link.paused') === 'true') {
    return { link_state: 'PAUSED', link_error: 'NO_ERROR', link_error_message: '' }
  }
  const { state, error, message } = mirrors.linkView(link).health
  const link_state = state === 'reachable' ? 'ACTIVE' : state === 'unreachable' ? 'UNAVAILABLE' : 'FAILED'
  return { link_state, link_error: error, link_error_message: message }
}
