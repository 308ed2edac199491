import { type Explanation, explainRight } from '../../access/explain.ts'
import { getIdentity } from '../../access/identities.ts'
import { existsHere } from '../../access/permissions.ts'
import { type IdentityRow, identityTable } from '../../access/rows.ts'
import { LinkspanError } from '../../base/errors.ts'
import {
  type Entitlement,
  type EntityRef,
  entitlementsOf,
  entityUrl,
  isEntitlementOf,
  parseEntityUrl,
} from '../../contract/entities.ts'
import { AuthExplanation } from '../../contract/v1.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route } from '../route.ts'
import { sync } from './envelope.ts'
import type { V1Rooms } from './rooms.ts'

export function explainRoutes(rooms: V1Rooms): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/1.0/auth/explain',
      summary: 'Tell why an identity may do something, or what would let it',
      // Everybody may ask about himself.
      access: { kind: 'authenticated' },
      query: {
        identity: 'Name or identifier; the caller when it is missing',
        entitlement: 'Such as can_edit',
        entity: 'URL of what it is about, such as /1.0/topics/orders, or /1.0 for the server',
      },
      result: AuthExplanation,
      handler: (request) => {
        const row = askedIdentity(rooms, request)
        const { entitlement, entity } = askedRight(request)
        const { access, clock } = rooms
        // Whether something exists is for those to know who may see it.
        const mayKnow = request.may('can_view_permissions') || request.mayView(entity)
        const exists = !mayKnow || existsHere(access.rows, access.hooks, entity)
        const found = explainRight(access.snapshot, row, { entitlement, entity, exists }, clock)
        return sync(shown(row, entitlement, entity, found))
      },
    }),
  ]
}

/** Undefined is the local administrator. Whoever may not view permissions is not told who else is here. */
function askedIdentity({ access }: V1Rooms, request: ApiRequest): IdentityRow | undefined {
  const asked = request.query('identity') ?? ''
  const { subject } = request
  const self = subject.kind === 'identity' ? access.rows.get(identityTable, subject.identity.id) : undefined
  if (asked === '' || asked === self?.id || asked === self?.name) return self
  request.require('can_view_permissions')
  return getIdentity(access.rows, asked)
}

function askedRight(request: ApiRequest): { entitlement: Entitlement; entity: EntityRef } {
  const [entitlement = '', url = ''] = [request.query('entitlement'), request.query('entity')]
  const entity = parseEntityUrl(url)
  if (!entity) throw invalid(`${shownText(url)} is not the URL of an entity: give one such as /1.0/topics/orders`)
  const { type } = entity
  if (isEntitlementOf(type, entitlement)) return { entitlement, entity }
  throw invalid(`A ${type} has no entitlement ${shownText(entitlement)}; it has ${entitlementsOf(type).join(', ')}`)
}

function shown(
  row: IdentityRow | undefined,
  entitlement: Entitlement,
  entity: EntityRef,
  { allowed, reason, grantedBy, wouldGrant }: Explanation,
): AuthExplanation {
  return {
    identity: row?.id ?? '',
    entitlement,
    entity: entityUrl(entity),
    allowed,
    ...(reason === undefined ? {} : { reason }),
    granted_by: grantedBy,
    would_grant: wouldGrant,
  }
}

function shownText(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}

function invalid(sentence: string): LinkspanError {
  return new LinkspanError('invalid-request', sentence)
}
