import { isLegacy } from '../../access/rows.ts'
import { LinkspanError } from '../../base/errors.ts'
import { type EntityRef, type EntityType, entitlementsOf, isEntitlementOf } from '../../contract/entities.ts'
import type { ApiRequest } from '../request.ts'
import type { Answer } from '../route.ts'
import { sync } from './envelope.ts'

export const recursionQuery = {
  recursion: '1: the objects themselves instead of their URLs',
  'with-access-entitlements': "Comma-separated: which of these the caller has, in each object's access_entitlements",
}

/** Objects are asked for by any number above 0. */
export function wantsObjects(request: ApiRequest): boolean {
  return Number(request.query('recursion') ?? 0) > 0
}

export interface Listed<Shown> {
  ref: EntityRef
  url: string
  show: () => Shown
}

/** What the caller may see of a list: URLs, or objects when it asks for them. */
export function listAnswer<Shown extends object>(
  request: ApiRequest,
  type: EntityType,
  entries: readonly Listed<Shown>[],
): Answer {
  const asked = askedEntitlements(request, type)
  const visible = entries.filter(({ ref }) => request.mayView(ref))
  if (!wantsObjects(request)) {
    if (asked.length > 0) {
      throw new LinkspanError('invalid-request', '"with-access-entitlements" needs "recursion=1" on lists')
    }
    return sync(visible.map(({ url }) => url))
  }
  return sync(visible.map(({ ref, show }) => withEntitlements(request, ref, show(), asked)))
}

/** One object, with the caller's entitlements on it if it asks for them. */
export function shownWithEntitlements<Shown extends object>(request: ApiRequest, ref: EntityRef, shown: Shown): Shown {
  return withEntitlements(request, ref, shown, askedEntitlements(request, ref.type))
}

function withEntitlements<Shown extends object>(
  request: ApiRequest,
  ref: EntityRef,
  shown: Shown,
  asked: readonly string[],
): Shown {
  const held = asked.filter((name) => isEntitlementOf(ref.type, name) && request.may(name, ref))
  return held.length === 0 ? shown : { access_entitlements: held, ...shown }
}

function askedEntitlements(request: ApiRequest, type: EntityType): string[] {
  const text = request.query('with-access-entitlements')
  if (text === undefined || text === '') return []
  if (request.subject.kind !== 'identity' || isLegacy(request.subject.identity)) {
    const sentence = 'Only callers with fine-grained permissions can ask for entitlements: the administrator has all'
    throw new LinkspanError('invalid-request', sentence)
  }
  const names = text.split(',').map((name) => name.trim())
  const wrong = names.find((name) => !isEntitlementOf(type, name))
  if (wrong === undefined) return names
  const known = entitlementsOf(type).join(', ')
  throw new LinkspanError('invalid-request', `A ${type} has no entitlement ${JSON.stringify(wrong)}; it has ${known}`)
}
