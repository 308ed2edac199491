import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context } from '../../context.ts'
import { findPermission, parsePermissionWords, resolvePermission } from './permission-form.ts'

/** Only identities are looked up. */
const nobody = {} as Context
const urlOf = async (...words: string[]) => (await resolvePermission(nobody, parsePermissionWords('g', words))).url

test('permissions are about one thing, a prefix or all', async () => {
  assert.equal(await urlOf('server', 'admin'), '/1.0')
  assert.equal(await urlOf('topic', 'orders', 'can_read'), '/1.0/topics/orders')
  assert.equal(await urlOf('topic', 'orders*', 'can_read'), '/1.0/topics/orders*')
  assert.equal(await urlOf('topic', 'a/b c', 'can_read'), '/1.0/topics/a%2Fb%20c')
  assert.equal(await urlOf('topic', 'can_read'), '/1.0/topics')
  assert.equal(await urlOf('topic', '*', 'can_read'), '/1.0/topics')
  assert.equal(await urlOf('instance', 'can_manage_backups'), '/1.0/instances')
  assert.equal(await urlOf('instance', 'a', 'can_manage_backups', 'project=default'), '/1.0/instances/a')
  assert.equal(await urlOf('consumer_group', 'billing', 'can_view'), '/1.0/consumer-groups/billing')
})

test('a star can be meant as itself', async () => {
  const url = await urlOf('content', 'a\\*', 'can_view')
  assert.equal(url, '/1.0/content/a%5C*')
  const permissions = [{ entity_type: 'content', url: '/1.0/content/a%5C%2A', entitlement: 'can_view' }]
  const wanted = { entity_type: 'content', url, entitlement: 'can_view' }
  const group = { name: 'g', description: '', permissions, identities: {}, identity_provider_groups: [] }
  assert.equal(findPermission(group, wanted), permissions[0])
  assert.equal(findPermission(group, { ...wanted, entitlement: 'can_edit' }), undefined)
})

test('what there is not is refused with what there is', () => {
  const cases: [string[], RegExp][] = [
    [['topik', 'can_read'], /no entity type "topik": choose among server, identity/],
    [['topic', 'orders', 'can_fly'], /no entitlement "can_fly" on topic: choose among can_view, can_read/],
    [['topic'], /Expected "<group> topic \[<name>\] <entitlement>"/],
    [['topic', 'a', 'b', 'can_read'], /Expected/],
    [['server', 'x', 'admin'], /Expected "<group> server <entitlement>"/],
  ]
  for (const [words, message] of cases) {
    assert.throws(() => parsePermissionWords('g', words), { code: 'usage', message })
  }
})
