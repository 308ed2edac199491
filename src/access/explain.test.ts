import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type EntityRef, entitlementsOf, entityTypes } from '../contract/entities.ts'
import { patternUrl } from '../contract/patterns.ts'
import { authorize } from './authorize.ts'
import { type ExplainRequest, explainRight } from './explain.ts'
import type { IdentityRow, PermissionRow } from './rows.ts'
import { accessSnapshot, type Subject } from './snapshot.ts'

const clock = { wallMs: () => 1500, monotonicMs: () => 0 }
const id = 'ab'.repeat(32)
const certificate = { pem: '', fingerprint: id, validFromMs: 1000, validToMs: 2000 }
const me: IdentityRow = {
  id,
  kind: 'client',
  name: 'me',
  groups: ['a', 'b'],
  certificate,
  pending: null,
  createdAtMs: 0,
}

const names = ['x', 'xy', '__x', id, 'a']
const entities = entityTypes.flatMap((type): EntityRef[] => {
  return type === 'server' ? [{ type, name: '' }] : names.map((name) => ({ type, name }))
})
const everything = entities.flatMap((entity) => {
  return entitlementsOf(entity.type).map((entitlement) => ({ entity, entitlement }))
})
const requests = fc.constantFrom(...everything).map((right): ExplainRequest => ({ ...right, exists: true }))
const permissions = fc
  .tuple(fc.constantFrom(...everything), fc.constantFrom('exact', 'prefix', 'all'))
  .map(([{ entity, entitlement }, kind]): PermissionRow => {
    const { type, name } = entity
    const pattern = { type, kind: type === 'server' ? 'exact' : kind, name: kind === 'all' ? '' : name } as const
    return { entity_type: type, url: patternUrl(pattern), entitlement }
  })
const groups = fc
  .array(permissions, { maxLength: 4 })
  .map((held) => ({ name: 'a', description: '', permissions: held }))

function judged(snapshot: ReturnType<typeof accessSnapshot>, { entitlement, entity }: ExplainRequest): boolean {
  const subject: Subject = { kind: 'identity', identity: snapshot.identities[0]! }
  return authorize(snapshot, subject, entitlement, entity).allowed
}

test('what is explained is what is decided, and each of what would grant does', () => {
  fc.assert(
    fc.property(groups, requests, (group, request) => {
      const snapshot = accessSnapshot([me], [group])
      const found = explainRight(snapshot, me, request, clock)
      assert.equal(found.allowed, judged(snapshot, request))
      assert.equal(found.allowed, found.grantedBy.length > 0 || found.reason !== undefined)
      assert.equal(found.allowed, found.wouldGrant.length === 0)
      for (const { implies } of found.grantedBy) {
        assert.equal(implies.at(-1), `${request.entity.type} ${request.entitlement}`)
      }
      for (const permission of found.wouldGrant) {
        const granted = accessSnapshot([me], [{ name: 'b', description: '', permissions: [permission] }])
        assert.ok(judged(granted, request), JSON.stringify(permission))
      }
    }),
    { numRuns: 2000 },
  )
})

test('the chain leads from the permission to what was asked, step by step', () => {
  const request: ExplainRequest = { entitlement: 'can_view', entity: { type: 'topic', name: 'orders' }, exists: true }
  const viewer = { entity_type: 'server', url: '/1.0', entitlement: 'viewer' }
  const read = { entity_type: 'topic', url: '/1.0/topics/ord*', entitlement: 'can_read' }
  const snapshot = accessSnapshot(
    [me],
    [
      { name: 'a', description: '', permissions: [viewer] },
      { name: 'b', description: '', permissions: [read] },
      { name: 'c', description: '', permissions: [viewer] },
    ],
  )
  const { allowed, grantedBy } = explainRight(snapshot, me, request, clock)
  assert.ok(allowed)
  assert.deepEqual(grantedBy, [
    { group: 'a', permission: viewer, implies: ['server viewer', 'server can_view_topics', 'topic can_view'] },
    { group: 'b', permission: read, implies: ['topic can_read', 'topic can_view'] },
  ])
  const refused = explainRight(accessSnapshot([me], []), me, { ...request, entitlement: 'can_edit' }, clock)
  assert.deepEqual(
    refused.wouldGrant.map(({ url, entitlement }) => `${url} ${entitlement}`),
    ['/1.0/topics/orders can_edit', '/1.0 can_edit_topics', '/1.0 topic_manager', '/1.0 admin'],
  )
  const unknown = explainRight(accessSnapshot([me], []), me, { ...request, exists: false }, clock)
  assert.equal(unknown.wouldGrant[0]?.url, '/1.0/topics')
})

test('what keeps a right from counting, and what needs none, is said', () => {
  const request: ExplainRequest = { entitlement: 'can_edit', entity: { type: 'server', name: '' }, exists: true }
  const snapshot = accessSnapshot([], [])
  const told = (row: IdentityRow | undefined, asked = request) => explainRight(snapshot, row, asked, clock)
  assert.deepEqual(told(undefined), {
    allowed: true,
    reason: 'The local administrator may do everything',
    grantedBy: [],
    wouldGrant: [],
  })
  const admin = { ...me, groups: ['admins'] }
  assert.equal(told(admin).allowed, true)
  const pending = told({ ...admin, certificate: null, pending: { secretHash: '', expiresAtMs: null } })
  assert.deepEqual([pending.allowed, pending.grantedBy.length, pending.wouldGrant], [false, 1, []])
  assert.match(pending.reason!, /token was not used/)
  assert.match(told({ ...admin, certificate: { ...certificate, validToMs: 1400 } }).reason!, /not valid now/)
  assert.equal(told({ ...me, groups: [], kind: 'unrestricted-client' }).allowed, true)
  const restricted = told({ ...me, groups: [], kind: 'restricted-client' })
  assert.deepEqual([restricted.allowed, restricted.wouldGrant], [false, []])
  assert.match(told({ ...me, groups: [] }).reason!, /no group/)
  const self: ExplainRequest = { entitlement: 'can_delete', entity: { type: 'identity', name: id }, exists: true }
  assert.deepEqual([told(me, self).allowed, told(me, self).grantedBy], [true, []])
})
