import { hostname, machine } from 'node:os'
import { LinkspanError } from '../../base/errors.ts'
import { Cluster, ClusterMember } from '../../contract/v1.ts'
import { listOf } from '../../contract/v1-shape.ts'
import { defineRoute, type Route } from '../route.ts'
import { sync, syncTagged } from './envelope.ts'
import { wantsObjects } from './listing.ts'
import type { ServerFacts, V1Rooms } from './rooms.ts'

/** As in LXD: whoever is known may see of whom a cluster consists, and where these can be reached. */
const access = { kind: 'authenticated' } as const
const members = '/1.0/cluster/members'

/** Every host is a cluster of one until others join it. */
export function clusterRoutes({ server }: V1Rooms): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/1.0/cluster',
      summary: 'Show the cluster',
      access,
      result: Cluster,
      handler: () => {
        const cluster: Cluster = { server_name: memberName(server), enabled: true, member_config: [] }
        return syncTagged(cluster)
      },
    }),
    defineRoute({
      method: 'GET',
      path: members,
      summary: 'List the members of the cluster',
      result: listOf(ClusterMember),
      access,
      query: { recursion: '1: the members themselves instead of their URLs' },
      handler: (request) => {
        const member = describeMember(server)
        return sync([wantsObjects(request) ? member : `${members}/${encodeURIComponent(member.server_name)}`])
      },
    }),
    defineRoute({
      method: 'GET',
      path: `${members}/:name`,
      summary: 'Show a member of the cluster',
      access,
      result: ClusterMember,
      handler: (request) => {
        checkMember(server, request.param('name'))
        return syncTagged(describeMember(server))
      },
    }),
  ]
}

/** Throws `not-found`. */
export function checkMember(server: ServerFacts, name: string): void {
  const only = memberName(server)
  if (name === only) return
  throw new LinkspanError('not-found', `The cluster has no member ${JSON.stringify(name)}: its only one is "${only}"`)
}

export function memberName(server: ServerFacts): string {
  return server.name || hostname()
}

function describeMember(server: ServerFacts): ClusterMember {
  const addresses = server.addresses()
  const [first] = addresses
  return {
    server_name: memberName(server),
    url: first === undefined ? '' : `https://${first}`,
    database: true,
    status: 'Online',
    message: 'Fully operational',
    architecture: machine(),
    roles: ['database-leader'],
    failure_domain: 'default',
    description: '',
    config: {},
    groups: ['default'],
    addresses,
  }
}
