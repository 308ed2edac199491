import { arch, machine, type as osType, release } from 'node:os'
import { supersededBy } from '../../access/identities.ts'
import { replaceServerConfigChanges, serverConfig } from '../../access/server-config.ts'
import { usernameOf } from '../../access/snapshot.ts'
import { serverRef } from '../../contract/entities.ts'
import { certificateAnnouncements, type Environment, Server, ServerPut } from '../../contract/v1.ts'
import { Texts } from '../../contract/v1-shape.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route } from '../route.ts'
import { memberName } from './cluster.ts'
import { done, sync, syncTagged } from './envelope.ts'
import { checkMatch } from './etag.ts'
import { auditOf, type V1Rooms } from './rooms.ts'

/** What LXD's clients look for before they send something. No `projects`: there are none, and nobody should ask. */
export const apiExtensions = [
  'etag',
  'patch',
  'certificate_token',
  'certificate_update',
  'clustering',
  'event_lifecycle',
  'event_lifecycle_requestor',
  'event_security',
  'explicit_trust_token',
  'access_management',
  'access_management_tls',
  'access_management_expiry',
  'entities_with_entitlements',
  'cluster_links',
  'cluster_links_used_by',
  'cluster_links_unidirectional',
  'cluster_links_public',
  'warnings',
  'linkspan',
  certificateAnnouncements,
]

const edit = { kind: 'entitlement', entitlement: 'can_edit', entity: () => serverRef } as const

export function serverRoutes(rooms: V1Rooms): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/',
      summary: 'List API versions',
      result: Texts,
      access: { kind: 'open' },
      handler: () => sync(['/1.0']),
    }),
    defineRoute({
      method: 'GET',
      path: '/1.0',
      summary: 'Show the server',
      access: { kind: 'open' },
      result: Server,
      handler: (request) => {
        if (request.subject.kind === 'untrusted') return sync(describe(rooms, request))
        return syncTagged(describe(rooms, request), wholeConfig(rooms))
      },
    }),
    changeRoute(rooms, 'PUT', "Replace the server's config"),
    changeRoute(rooms, 'PATCH', "Change the server's config"),
  ]
}

function changeRoute(rooms: V1Rooms, method: 'PUT' | 'PATCH', summary: string): Route {
  const { access, clock } = rooms
  return defineRoute({
    method,
    path: '/1.0',
    summary,
    access: edit,
    body: ServerPut,
    handler: async (request) => {
      const pairs = Object.entries(request.body.config ?? {})
      const given = Object.fromEntries(pairs.map(([name, value]) => [name.trim(), String(value ?? '').trim()]))
      await access.execute('configure server', (rows) => {
        checkMatch(request, wholeConfig(rooms))
        const config = method === 'PUT' ? given : { ...serverConfig(rows), ...given }
        const changes = replaceServerConfigChanges(config, rooms.server.pinnedConfig(), clock.wallMs())
        return { changes, result: undefined }
      })
      auditOf(rooms).lifecycle(request, 'config-updated', '/1.0')
      return done()
    },
  })
}

function wholeConfig(rooms: V1Rooms): Record<string, string> {
  return { ...serverConfig(rooms.access.rows), ...rooms.server.pinnedConfig() }
}

function describe(rooms: V1Rooms, request: ApiRequest): Server {
  const { subject, caller } = request
  const trusted = subject.kind !== 'untrusted'
  const { username, protocol } = usernameOf(subject)
  const { fingerprint } = caller
  const superseded = trusted ? rooms.server.supersededBy?.() : supersededBy(rooms.access.rows, fingerprint ?? '')
  return {
    api_extensions: apiExtensions,
    api_status: 'stable',
    api_version: '1.0',
    auth: trusted ? 'trusted' : 'untrusted',
    auth_methods: ['tls'],
    ...(trusted ? { auth_user_method: protocol, auth_user_name: username } : {}),
    client_certificate: caller.transport === 'tls' && caller.fingerprint !== undefined,
    config: trusted && request.may('can_edit') ? wholeConfig(rooms) : {},
    ...(trusted ? { environment: environment(rooms) } : {}),
    public: false,
    ...(superseded === undefined ? {} : { superseded_by: superseded }),
  }
}

function environment({ server }: V1Rooms): Environment {
  return {
    addresses: server.addresses(),
    architectures: [machine()],
    certificate: server.certificatePem(),
    certificate_fingerprint: server.fingerprint(),
    kernel: osType(),
    kernel_architecture: machine(),
    kernel_version: release(),
    os_name: osType(),
    os_version: arch(),
    server: 'linkspan',
    server_clustered: true,
    server_name: memberName(server),
    server_pid: process.pid,
    server_version: server.version,
    // Never empty: LXD's clients would tell their user to initialise the server first.
    storage: 'linkspan',
    cluster_id: server.clusterId,
    kafka_cluster_id: server.kafkaClusterId(),
  }
}
