import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Entitlement, type EntityRef, entitlementsOf, entityTypes, impliersOf } from '../contract/entities.ts'
import { patternUrl } from '../contract/patterns.ts'
import { authorize, mayView } from './authorize.ts'
import type { PermissionRow } from './rows.ts'
import {
  type AccessSnapshot,
  administrator,
  type SnapshotIdentity,
  type Subject,
  subjectOf,
  untrusted,
} from './snapshot.ts'

const fingerprint = 'ab'.repeat(32)
const me: SnapshotIdentity = {
  id: fingerprint,
  fingerprint,
  name: 'me',
  kind: 'client',
  groups: ['mine'],
  validFromMs: 1000,
  validToMs: 2000,
}
const subject: Subject = { kind: 'identity', identity: me }

function holding(...permissions: PermissionRow[]): AccessSnapshot {
  return structuredClone({ identities: [me], groups: [{ name: 'mine', permissions }] })
}

const permission = (entity_type: string, url: string, entitlement: string) => ({ entity_type, url, entitlement })
const everything = entityTypes.flatMap((type) => entitlementsOf(type).map((entitlement) => ({ type, entitlement })))

function entityOf(type: EntityRef['type'], name = 'x'): EntityRef {
  return { type, name: type === 'server' ? '' : name }
}

test('every pair of held and asked entitlement is judged as the table says', () => {
  for (const held of everything) {
    const url = patternUrl({ type: held.type, kind: held.type === 'server' ? 'exact' : 'all', name: '' })
    const snapshot = holding(permission(held.type, url, held.entitlement))
    for (const asked of everything) {
      const { own, server } = impliersOf(asked.type, asked.entitlement)!
      const expected =
        (held.type === asked.type && own.has(held.entitlement)) ||
        (held.type === 'server' && server.has(held.entitlement))
      const { allowed } = authorize(snapshot, subject, asked.entitlement, entityOf(asked.type))
      assert.equal(allowed, expected, `${held.type} ${held.entitlement} → ${asked.type} ${asked.entitlement}`)
    }
  }
})

test('what may be done may be seen where the table says so, and what may not be seen is not visible', () => {
  const snapshot = holding(permission('cluster_link', '/1.0/cluster/links/b*', 'can_view'))
  const link = (name: string) => entityOf('cluster_link', name)
  assert.deepEqual(authorize(snapshot, subject, 'can_view', link('berlin')), { allowed: true, visible: true })
  assert.deepEqual(authorize(snapshot, subject, 'can_edit', link('berlin')), { allowed: false, visible: true })
  assert.deepEqual(authorize(snapshot, subject, 'can_edit', link('paris')), { allowed: false, visible: false })
  assert.deepEqual(authorize(snapshot, subject, 'can_edit', entityOf('server')), { allowed: false, visible: true })
})

test('internal topics need their own name, or admin', () => {
  const offsets = entityOf('topic', '__consumer_offsets')
  const reads = (...permissions: PermissionRow[]) => {
    return authorize(holding(...permissions), subject, 'can_read', offsets).allowed
  }
  assert.ok(!reads(permission('topic', '/1.0/topics', 'can_read')))
  assert.ok(!reads(permission('topic', '/1.0/topics/__c*', 'can_read')))
  assert.ok(!reads(permission('server', '/1.0', 'can_read_topics')))
  assert.ok(reads(permission('topic', '/1.0/topics/__consumer_offsets', 'can_read')))
  assert.ok(reads(permission('server', '/1.0', 'admin')))
})

test('whoever is known sees and deletes himself, and sees his groups', () => {
  const snapshot = holding()
  const self = entityOf('identity', fingerprint)
  const may = (entitlement: Entitlement, entity: EntityRef) => {
    return authorize(snapshot, subject, entitlement, entity).allowed
  }
  assert.ok(may('can_view', self))
  assert.ok(may('can_delete', self))
  assert.ok(!may('can_edit', self))
  assert.ok(!may('can_view', entityOf('identity', 'cd')))
  assert.ok(may('can_view', entityOf('group', 'mine')))
  assert.ok(!may('can_edit', entityOf('group', 'mine')))
})

test('who a caller is depends on the listener, the pin and the dates', () => {
  const snapshot = holding()
  const at = (wallMs: number) => ({ wallMs: () => wallMs, monotonicMs: () => 0 })
  const tls = { transport: 'tls', address: '10.0.0.1:1', fingerprint } as const
  assert.equal(subjectOf(snapshot, { transport: 'unix', address: '@' }, at(0)).kind, 'administrator')
  assert.equal(subjectOf(snapshot, tls, at(1000)).kind, 'identity')
  assert.equal(subjectOf(snapshot, tls, at(2000)).kind, 'identity')
  assert.equal(subjectOf(snapshot, tls, at(999)).kind, 'untrusted')
  assert.equal(subjectOf(snapshot, tls, at(2001)).kind, 'untrusted')
  assert.equal(subjectOf(snapshot, { ...tls, fingerprint: 'cd' }, at(1500)).kind, 'untrusted')
  assert.equal(subjectOf(snapshot, { transport: 'tls', address: 'x' }, at(1500)).kind, 'untrusted')
})

test('strangers may nothing, the administrator everything', () => {
  for (const { type, entitlement } of everything) {
    assert.ok(!authorize(holding(), untrusted, entitlement, entityOf(type)).allowed)
    assert.ok(authorize(holding(), administrator, entitlement, entityOf(type)).allowed)
  }
  assert.ok(!mayView(holding(), untrusted, entityOf('server')))
})

test('an answer is the same the second time, and for a clone of the snapshot', () => {
  const names = fc.constantFrom('orders', 'orders-1', '__orders', 'ord*', 'x')
  const pattern = fc.constantFrom('', '/orders', '/orders*', '/ord%5C*', '/__orders', '/*')
  const grant = fc
    .tuple(pattern, fc.constantFrom('can_read', 'can_view', 'can_edit'))
    .map(([tail, entitlement]) => permission('topic', `/1.0/topics${tail}`, entitlement))
  const asks = fc.constantFrom<Entitlement>('can_read', 'can_view', 'can_edit', 'can_delete')
  fc.assert(
    fc.property(fc.array(grant, { maxLength: 4 }), names, asks, (grants, name, asked) => {
      const snapshot = holding(...grants)
      const first = authorize(snapshot, subject, asked, entityOf('topic', name))
      assert.deepEqual(authorize(snapshot, subject, asked, entityOf('topic', name)), first)
      assert.deepEqual(authorize(structuredClone(snapshot), subject, asked, entityOf('topic', name)), first)
      assert.ok(first.visible || !first.allowed)
    }),
  )
})
