import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type EntityRef,
  entitlementsOf,
  entityTable,
  entityTypes,
  entityUrl,
  impliersOf,
  isEntitlementOf,
  parseEntityUrl,
} from './entities.ts'
import { exactPattern, isInternalName, parseEntityPattern, patternCovers, patternUrl } from './patterns.ts'

interface Implications {
  own?: readonly string[]
  server?: readonly string[]
}

const named = entityTypes.filter((type) => type !== 'server')
const names = fc.oneof(fc.string({ minLength: 1, unit: 'binary' }), fc.stringMatching(/^[a*\\/%_]{1,6}$/))
const refs = fc.record(
  { type: fc.constantFrom(...named), name: names },
  { noNullPrototype: true },
) as fc.Arbitrary<EntityRef>

test('every implication names an entitlement that is there', () => {
  for (const type of entityTypes) {
    for (const [name, implied] of Object.entries(entityTable[type].entitlements)) {
      const { own = [], server = [] } = implied as { own?: string[]; server?: string[] }
      for (const other of own) assert.ok(isEntitlementOf(type, other), `${type} ${name} ← ${other}`)
      for (const other of server) assert.ok(isEntitlementOf('server', other), `${type} ${name} ← server ${other}`)
    }
  }
})

test('admin of the server implies everything but the roles that are only given', () => {
  const roles = ['viewer', 'permission_manager', 'topic_manager', 'host_manager', 'operator']
  for (const type of entityTypes) {
    for (const entitlement of entitlementsOf(type)) {
      if (roles.includes(entitlement)) continue
      assert.ok(impliersOf(type, entitlement)?.server.has('admin'), `${type} ${entitlement}`)
    }
  }
})

test('a viewer of the server reads no data and changes nothing', () => {
  for (const type of entityTypes) {
    for (const entitlement of entitlementsOf(type)) {
      const isView = entitlement.startsWith('can_view') || entitlement === 'viewer'
      if (!isView) assert.ok(!impliersOf(type, entitlement)?.server.has('viewer'), `${type} ${entitlement}`)
    }
  }
})

test('implications are followed: who may edit a link may view it, who may read a topic may view it', () => {
  assert.ok(impliersOf('cluster_link', 'can_view')?.own.has('can_edit'))
  assert.ok(impliersOf('cluster_link', 'can_view')?.server.has('can_edit_cluster_links'))
  assert.ok(impliersOf('topic', 'can_view')?.own.has('can_read'))
  assert.ok(!impliersOf('topic', 'can_read')?.own.has('can_edit'))
  assert.ok(!impliersOf('identity', 'can_view')?.own.has('can_edit'))
})

test('an address leads back to its entity, whatever the name', () => {
  fc.assert(
    fc.property(refs, (ref) => {
      assert.deepEqual(parseEntityUrl(entityUrl(ref)), ref)
    }),
  )
  assert.equal(entityUrl({ type: 'topic', name: 'a/b c' }), '/1.0/topics/a%2Fb%20c')
  assert.deepEqual(parseEntityUrl('/1.0?project=x'), { type: 'server', name: '' })
  assert.equal(parseEntityUrl('/1.0/topics'), undefined)
  assert.equal(parseEntityUrl('/1.0/unheard-of/x'), undefined)
  assert.throws(() => parseEntityUrl('/1.0/topics/%zz'), { code: 'invalid-request' })
})

test('the pattern of one entity covers it and no other', () => {
  fc.assert(
    fc.property(refs, refs, (one, other) => {
      const pattern = parseEntityPattern(patternUrl(exactPattern(one)))!
      assert.ok(patternCovers(pattern, one))
      assert.equal(patternCovers(pattern, other), one.type === other.type && one.name === other.name)
    }),
  )
})

test('patterns: all, prefix, escaped star, in the form in which clients send them', () => {
  const covers = (url: string, name: string) => patternCovers(parseEntityPattern(url)!, { type: 'topic', name })
  assert.ok(covers('/1.0/topics', 'orders'))
  assert.ok(covers('/1.0/topics/', 'orders'))
  assert.ok(covers('/1.0/topics/%2A', 'orders'))
  assert.ok(covers('/1.0/topics/ord*', 'orders'))
  assert.ok(!covers('/1.0/topics/ord*', 'other'))
  assert.ok(covers('/1.0/topics/ord%5C%2A', 'ord*'))
  assert.ok(!covers('/1.0/topics/ord%5C%2A', 'orders'))
  assert.equal(patternUrl(parseEntityPattern('/1.0/topics/%2A?project=default')!), '/1.0/topics')
  assert.equal(patternUrl(parseEntityPattern('/1.0/topics/ord%2a')!), '/1.0/topics/ord*')
})

test('internal topics are covered by their exact name only', () => {
  const offsets: EntityRef = { type: 'topic', name: '__consumer_offsets' }
  assert.ok(isInternalName(offsets))
  for (const url of ['/1.0/topics', '/1.0/topics/*', '/1.0/topics/__*', '/1.0/topics/__consumer*']) {
    assert.ok(!patternCovers(parseEntityPattern(url)!, offsets), url)
  }
  assert.ok(patternCovers(parseEntityPattern('/1.0/topics/__consumer_offsets')!, offsets))
})

test('docs/access.md shows this table as it is', async () => {
  const page = await readFile(new URL('../../docs/access.md', import.meta.url), 'utf8')
  const rows = entityTypes.flatMap((type) => {
    return entitlementsOf(type).map((entitlement) => {
      const { own = [], server = [] } = (entityTable[type].entitlements as Record<string, Implications>)[entitlement]!
      const others = [...own.map((name) => `\`${name}\``), ...server.map((name) => `server \`${name}\``)]
      return `| \`${type}\` | \`${entitlement}\` | ${others.join(', ')} |`
    })
  })
  const head = ['| entity type | entitlement | also held by whoever holds |', '| --- | --- | --- |']
  const table = [...head, ...rows].join('\n')
  assert.ok(page.includes(table), `The page lacks:\n${table}`)
})
