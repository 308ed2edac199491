import { LinkspanError } from '../base/errors.ts'

/**
 * The one table of what rights can be about. `url` is the form of an entity's address, `own` says which entitlements on
 * the same entity imply this one, `server` which entitlements on the server do. Implications are followed to the end:
 * an entitlement that `admin` implies on the server carries on from there.
 */
export const entityTable = {
  server: {
    url: '/1.0',
    entitlements: {
      admin: {},
      viewer: {},
      permission_manager: {},
      topic_manager: {},
      host_manager: {},
      can_edit: { own: ['admin'] },
      can_view_permissions: { own: ['permission_manager', 'admin'] },
      can_view_identities: { own: ['permission_manager', 'admin', 'viewer'] },
      can_create_identities: { own: ['permission_manager', 'admin'] },
      can_edit_identities: { own: ['permission_manager', 'admin'] },
      can_delete_identities: { own: ['permission_manager', 'admin'] },
      can_view_groups: { own: ['permission_manager', 'admin', 'viewer'] },
      can_create_groups: { own: ['permission_manager', 'admin'] },
      can_edit_groups: { own: ['permission_manager', 'admin'] },
      can_delete_groups: { own: ['permission_manager', 'admin'] },
      can_view_cluster_links: { own: ['admin', 'viewer'] },
      can_create_cluster_links: { own: ['admin'] },
      can_edit_cluster_links: { own: ['admin'] },
      can_delete_cluster_links: { own: ['admin'] },
      can_view_events: { own: ['admin', 'viewer'] },
      can_view_operations: { own: ['admin', 'viewer'] },
      can_view_resources: { own: ['admin', 'viewer'] },
      can_view_metrics: { own: ['admin', 'viewer'] },
      can_view_warnings: { own: ['admin', 'viewer'] },
      can_view_topics: { own: ['topic_manager', 'admin', 'viewer'] },
      can_create_topics: { own: ['topic_manager', 'admin'] },
      can_edit_topics: { own: ['topic_manager', 'admin'] },
      can_delete_topics: { own: ['topic_manager', 'admin'] },
      can_read_topics: { own: ['admin'] },
      can_view_consumer_groups: { own: ['topic_manager', 'admin', 'viewer'] },
      can_edit_consumer_groups: { own: ['topic_manager', 'admin'] },
      can_view_acls: { own: ['topic_manager', 'can_edit_acls', 'admin'] },
      can_edit_acls: { own: ['admin'] },
      can_view_hosts: { own: ['host_manager', 'admin', 'viewer'] },
      can_create_hosts: { own: ['host_manager', 'admin'] },
      can_edit_hosts: { own: ['host_manager', 'admin'] },
      can_delete_hosts: { own: ['host_manager', 'admin'] },
      can_view_content: { own: ['host_manager', 'admin', 'viewer'] },
      can_create_content: { own: ['host_manager', 'admin'] },
      can_edit_content: { own: ['host_manager', 'admin'] },
      can_delete_content: { own: ['host_manager', 'admin'] },
      can_view_instances: { own: ['admin', 'viewer'] },
      can_edit_instances: { own: ['admin'] },
      can_delete_instances: { own: ['admin'] },
      can_operate_instances: { own: ['admin'] },
    },
  },
  identity: {
    url: '/1.0/auth/identities/tls/',
    entitlements: {
      can_view: { server: ['can_view_identities'] },
      can_edit: { server: ['can_edit_identities'] },
      can_delete: { server: ['can_delete_identities'] },
    },
  },
  group: {
    url: '/1.0/auth/groups/',
    entitlements: {
      can_view: { server: ['can_view_groups'] },
      can_edit: { server: ['can_edit_groups'] },
      can_delete: { server: ['can_delete_groups'] },
    },
  },
  /** Of LXD's older trust store, which knows neither groups nor entitlements: who may see and change its entries. */
  certificate: {
    url: '/1.0/certificates/',
    entitlements: {
      can_view: { own: ['can_edit', 'can_delete'], server: ['can_view_identities'] },
      can_edit: { server: ['can_edit_identities'] },
      can_delete: { server: ['can_delete_identities'] },
    },
  },
  cluster_link: {
    url: '/1.0/cluster/links/',
    entitlements: {
      can_view: { own: ['can_edit', 'can_delete'], server: ['can_view_cluster_links'] },
      can_edit: { server: ['can_edit_cluster_links'] },
      can_delete: { server: ['can_delete_cluster_links'] },
    },
  },
  instance: {
    url: '/1.0/instances/',
    entitlements: {
      operator: {},
      can_view: { own: ['operator', 'can_edit', 'can_delete', 'can_manage_backups'], server: ['can_view_instances'] },
      can_edit: { server: ['can_edit_instances'] },
      can_delete: { server: ['can_delete_instances'] },
      can_update_state: { own: ['operator'], server: ['can_operate_instances'] },
      can_manage_backups: { own: ['operator'], server: ['can_operate_instances'] },
    },
  },
  host: {
    url: '/1.0/hosts/',
    entitlements: {
      can_view: { own: ['can_edit', 'can_delete'], server: ['can_view_hosts'] },
      can_edit: { server: ['can_edit_hosts'] },
      can_delete: { server: ['can_delete_hosts'] },
    },
  },
  topic: {
    url: '/1.0/topics/',
    entitlements: {
      can_view: { own: ['can_read', 'can_edit', 'can_delete', 'can_view_acls'], server: ['can_view_topics'] },
      can_read: { server: ['can_read_topics'] },
      can_edit: { server: ['can_edit_topics'] },
      can_delete: { server: ['can_delete_topics'] },
      can_view_acls: { server: ['can_view_acls'] },
    },
  },
  consumer_group: {
    url: '/1.0/consumer-groups/',
    entitlements: {
      can_view: { own: ['can_edit', 'can_view_acls'], server: ['can_view_consumer_groups'] },
      can_edit: { server: ['can_edit_consumer_groups'] },
      can_view_acls: { server: ['can_view_acls'] },
    },
  },
  content: {
    url: '/1.0/content/',
    entitlements: {
      can_view: { own: ['can_edit', 'can_delete'], server: ['can_view_content'] },
      can_edit: { server: ['can_edit_content'] },
      can_delete: { server: ['can_delete_content'] },
    },
  },
} as const satisfies Record<string, { url: string; entitlements: Record<string, Implied> }>

interface Implied {
  own?: readonly string[]
  server?: readonly string[]
}

export type EntityType = keyof typeof entityTable
export type EntitlementOf<Type extends EntityType> = keyof (typeof entityTable)[Type]['entitlements'] & string
export type ServerEntitlement = EntitlementOf<'server'>
export type Entitlement = { [Type in EntityType]: EntitlementOf<Type> }[EntityType]

export const entityTypes = Object.keys(entityTable) as EntityType[]

/** One entity. The server's name is empty; an identity's is its identifier. */
export interface EntityRef {
  type: EntityType
  name: string
}

export const serverRef: EntityRef = { type: 'server', name: '' }

export function isEntityType(text: string): text is EntityType {
  return Object.hasOwn(entityTable, text)
}

/** In the order of the table. */
export function entitlementsOf(type: EntityType): Entitlement[] {
  return Object.keys(entityTable[type].entitlements) as Entitlement[]
}

export function isEntitlementOf(type: EntityType, text: string): text is Entitlement {
  return Object.hasOwn(entityTable[type].entitlements, text)
}

/** Everything that, held on the entity itself or on the server, gives one entitlement, itself included. */
export interface Impliers {
  own: ReadonlySet<string>
  server: ReadonlySet<string>
}

const impliers = new Map(
  entityTypes.flatMap((type) => {
    return entitlementsOf(type).map((entitlement) => [`${type} ${entitlement}`, findImpliers(type, entitlement)])
  }),
)

/** Undefined when the type has no such entitlement. */
export function impliersOf(type: EntityType, entitlement: Entitlement): Impliers | undefined {
  return impliers.get(`${type} ${entitlement}`)
}

/** One entitlement, on the kind of entity that it is on. */
export interface Held {
  type: EntityType
  entitlement: Entitlement
}

/** What gives an entitlement, step by step: each of them gives the one before it, the last is what was asked. */
export type ImplicationPath = readonly Held[]

/** All that gives one entitlement, itself included, the nearest first; each with the way that leads from it. */
export function implicationPaths(type: EntityType, entitlement: Entitlement): ImplicationPath[] {
  const paths: Held[][] = [[{ type, entitlement }]]
  const seen = new Set([`${type} ${entitlement}`])
  for (const path of paths) {
    const [first] = path
    const { own = [], server = [] } = impliedOf(first!.type, first!.entitlement)
    const nearer = [
      ...own.map((name) => ({ type: first!.type, entitlement: name as Entitlement })),
      ...server.map((name) => ({ type: 'server' as const, entitlement: name as Entitlement })),
    ]
    for (const held of nearer) {
      const key = `${held.type} ${held.entitlement}`
      if (seen.has(key)) continue
      seen.add(key)
      paths.push([held, ...path])
    }
  }
  return paths
}

function findImpliers(type: EntityType, entitlement: string): Impliers {
  const own = closure(type, [entitlement])
  if (type === 'server') return { own, server: own }
  const server = [...own].flatMap((name) => impliedOf(type, name).server ?? [])
  return { own, server: closure('server', server) }
}

function closure(type: EntityType, start: readonly string[]): Set<string> {
  const found = new Set(start)
  for (const name of found) for (const implier of impliedOf(type, name).own ?? []) found.add(implier)
  return found
}

function impliedOf(type: EntityType, entitlement: string): Implied {
  return (entityTable[type].entitlements as Record<string, Implied>)[entitlement] ?? {}
}

/** The address of one entity. */
export function entityUrl(ref: EntityRef): string {
  const { url } = entityTable[ref.type]
  return ref.type === 'server' ? url : url + encodeURIComponent(ref.name)
}

/** The entity of an address, whose query is ignored; undefined when it names none or all of a type. */
export function parseEntityUrl(url: string): EntityRef | undefined {
  const found = splitEntityUrl(url)
  if (!found || (found.name === undefined && found.type !== 'server')) return undefined
  return { type: found.type, name: found.name ?? '' }
}

/** The type of an address, and its decoded last part if it has one. Throws `invalid-request` for a bad escape. */
export function splitEntityUrl(url: string): { type: EntityType; name: string | undefined } | undefined {
  const path = url.replace(/[?#].*$/s, '').replace(/\/+$/, '')
  for (const type of entityTypes) {
    const form = entityTable[type].url.replace(/\/$/, '')
    if (path === form) return { type, name: undefined }
    const rest = path.startsWith(`${form}/`) ? path.slice(form.length + 1) : ''
    if (type !== 'server' && rest !== '' && !rest.includes('/')) return { type, name: decodeSegment(rest, url) }
  }
  return undefined
}

function decodeSegment(segment: string, url: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new LinkspanError('invalid-request', `The address ${JSON.stringify(url)} has a broken percent escape`)
  }
}
