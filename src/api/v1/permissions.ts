import { Type } from 'typebox'
import { listCertificates } from '../../access/certificates.ts'
import { listGroups } from '../../access/groups.ts'
import { listIdentities } from '../../access/identities.ts'
import { LinkspanError } from '../../base/errors.ts'
import { type EntityType, entitlementsOf, entityTypes, entityUrl, isEntityType } from '../../contract/entities.ts'
import { patternUrl } from '../../contract/patterns.ts'
import { Permission, PermissionInfo } from '../../contract/v1.ts'
import { defineRoute, type Route } from '../route.ts'
import { sync } from './envelope.ts'
import type { V1Rooms } from './rooms.ts'

export function permissionRoutes(rooms: V1Rooms): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/1.0/auth/permissions',
      summary: 'List what can be granted',
      result: Type.Array(Type.Union([PermissionInfo, Permission])),
      access: {
        kind: 'entitlement',
        entitlement: 'can_view_permissions',
        entity: () => ({ type: 'server', name: '' }),
      },
      query: { recursion: '1: also which groups hold it', 'entity-type': 'Only of this type' },
      handler: async (request) => {
        const wanted = request.query('entity-type')
        if (wanted !== undefined && !isEntityType(wanted)) {
          const known = entityTypes.join(', ')
          const sentence = `Unknown entity type ${JSON.stringify(wanted)}; there are ${known}`
          throw new LinkspanError('invalid-request', sentence)
        }
        const permissions = await listPermissions(rooms, wanted === undefined ? entityTypes : [wanted])
        if (request.query('recursion') === '1') return sync(permissions)
        return sync(permissions.map(({ groups: _, ...permission }) => permission))
      },
    }),
  ]
}

/** Every entitlement on every entity that is known, and on whatever has been granted; sorted. */
async function listPermissions(rooms: V1Rooms, types: readonly EntityType[]): Promise<PermissionInfo[]> {
  const groups = listGroups(rooms.access.rows)
  const holders = new Map<string, string[]>()
  for (const group of groups) {
    for (const { entity_type, url, entitlement } of group.permissions) {
      const key = `${entity_type} ${url} ${entitlement}`
      holders.set(key, [...(holders.get(key) ?? []), group.name])
    }
  }
  const granted = groups.flatMap(({ permissions }) => permissions)
  const found: PermissionInfo[] = []
  for (const type of [...types].sort()) {
    const known = await urlsOf(rooms, type)
    const urls = new Set([...known, ...granted.filter((one) => one.entity_type === type).map(({ url }) => url)])
    for (const url of [...urls].sort()) {
      for (const entitlement of entitlementsOf(type).toSorted()) {
        const names = holders.get(`${type} ${url} ${entitlement}`) ?? null
        found.push({ entity_type: type, url, entitlement, groups: names })
      }
    }
  }
  return found
}

/** All of a type comes first, except of the server, of which there is one. */
async function urlsOf(rooms: V1Rooms, type: EntityType): Promise<string[]> {
  if (type === 'server') return [entityUrl({ type, name: '' })]
  const names = await namesOf(rooms, type)
  return [
    patternUrl({ type, kind: 'all', name: '' }),
    ...names.map((name) => patternUrl({ type, kind: 'exact', name })),
  ]
}

async function namesOf({ access, entityNames }: V1Rooms, type: EntityType): Promise<string[]> {
  if (type === 'identity') return listIdentities(access.rows).map(({ id }) => id)
  if (type === 'certificate') return listCertificates(access.rows).map(({ id }) => id)
  if (type === 'group') return listGroups(access.rows).map(({ name }) => name)
  return (await entityNames?.[type]?.()) ?? []
}
