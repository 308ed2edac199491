import { type Static, Type } from 'typebox'
import { serverRef } from '../../contract/entities.ts'
import type { Footprint } from '../../mirror/footprint.ts'
import type { Mirrors } from '../../mirror/mirrors.ts'
import { defineRoute, type Route } from '../route.ts'
import { sync } from './envelope.ts'

/** What this daemon has changed in the Kafka that it fronts. */
export function footprintRoutes({ mirrors }: { mirrors: Mirrors }): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/1.0/footprint',
      summary: 'List all that was changed in the Kafka cluster and not taken back',
      access: { kind: 'entitlement', entitlement: 'can_view_topics', entity: () => serverRef },
      result: Type.Array(FootprintItem),
      handler: () => sync(itemsOf(mirrors.footprint())),
    }),
  ]
}

const FootprintItem = Type.Object({ what: Type.String(), name: Type.String(), detail: Type.String() })
type FootprintItem = Static<typeof FootprintItem>

function itemsOf(footprint: Footprint): FootprintItem[] {
  const { topicsCreated, topicsAdopted, configsPinned, acls, fences, sourceFences, groupOffsets } = footprint
  const topic = (what: string) => {
    return ({ topic: name, mirrorId }: { topic: string; mirrorId: string }) => ({
      what,
      name,
      detail: `mirror ${mirrorId}`,
    })
  }
  return [
    ...topicsCreated.map(topic('topic created')),
    ...topicsAdopted.map(topic('topic adopted')),
    ...configsPinned.map((name) => ({ what: 'configs pinned', name, detail: 'until it is promoted or failed over' })),
    ...acls.map((acl) => ({
      what: 'ACL added',
      name: acl.resourceName,
      detail: `${acl.permission} ${acl.operation} ${acl.principal}`,
    })),
    ...fences.map((name) => ({ what: 'topic fenced', name, detail: `until "kafka topic unfence ${name}"` })),
    ...sourceFences.map(({ topic: name, sourceTopic, by }) => ({
      what: 'source fenced',
      name,
      detail: `'${sourceTopic}': writers are denied ${by === 'peer' ? 'by the other cluster' : 'by an ACL of ours'}`,
    })),
    ...groupOffsets.map(({ group, topics }) => ({ what: 'group offsets', name: group, detail: topics.join(', ') })),
  ]
}
