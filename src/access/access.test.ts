import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { LinkspanError } from '../base/errors.ts'
import { silentLog } from '../base/log.ts'
import type { RowChange } from '../store/row-log.ts'
import { openStore } from '../store/store.ts'
import { Access, readIdentityCertificate } from './access.ts'
import { authorize } from './authorize.ts'
import { createGroupChanges, deleteGroupChanges, getGroup, membersOf, renameGroupChanges } from './groups.ts'
import {
  announceCertificateChanges,
  checkCertificateFree,
  createIdentityChanges,
  createPendingIdentityChanges,
  deleteIdentityChanges,
  forgetAnnouncedChanges,
  getIdentity,
  listIdentities,
  supersededBy,
  updateIdentityChanges,
} from './identities.ts'
import { type IdentityCertificate, type IdentityKind, identityTypeName } from './rows.ts'
import { subjectOfFingerprint } from './snapshot.ts'

const clock = { nowMs: 1_800_000_000_000, wallMs: () => clock.nowMs, monotonicMs: () => 0 }

async function openAccess(t: TestContext): Promise<Access> {
  const directory = await mkdtemp(join(tmpdir(), 'linkspan-access-'))
  const store = await openStore({ directory: join(directory, 'state'), log: silentLog })
  const access = new Access({ store, clock, log: silentLog })
  t.after(async () => {
    access[Symbol.dispose]()
    await store[Symbol.asyncDispose]()
    await rm(directory, { recursive: true })
  })
  return access
}

function certificate(digit: string): IdentityCertificate {
  return { pem: `PEM ${digit}`, fingerprint: digit.repeat(64), validFromMs: 0, validToMs: Number.MAX_SAFE_INTEGER }
}

function createGroup(access: Access, name: string, ...permissions: [string, string, string][]) {
  const list = permissions.map(([entity_type, url, entitlement]) => ({ entity_type, url, entitlement }))
  return access.execute('create group', (rows) => {
    const input = { description: '', permissions: list }
    return { changes: createGroupChanges(rows, access.hooks, name, input).changes, result: undefined }
  })
}

function mint(access: Access, name: string, kind: IdentityKind = 'client', groups: string[] = [], lifeMs = 60_000) {
  return access.execute('mint', (rows) => {
    const input = { kind, name, groups, nowMs: clock.nowMs, expiresAtMs: clock.nowMs + lifeMs }
    const { changes, identity, secret } = createPendingIdentityChanges(rows, input)
    return { changes, result: { id: identity.id, secret } }
  })
}

test('a token is spent by exactly one of many who hold it, at the same time', async (t) => {
  const access = await openAccess(t)
  await createGroup(access, 'readers', ['topic', '/1.0/topics/orders', 'can_read'])
  const { id, secret } = await mint(access, 'berlin', 'client', ['readers'])
  await createGroup(access, 'watchers', ['identity', `/1.0/auth/identities/tls/${id}`, 'can_view'])
  assert.equal(identityTypeName(getIdentity(access.rows, id)), 'Client certificate (pending)')
  const tries = ['1', '2', '3', '4'].map((digit) => access.activate(secret, 'client', certificate(digit)))
  const outcomes = await Promise.allSettled(tries)
  const won = outcomes.filter(({ status }) => status === 'fulfilled')
  assert.equal(won.length, 1)
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'token-unknown')
  }
  const [identity] = listIdentities(access.rows)
  assert.equal(identity?.name, 'berlin')
  assert.equal(identityTypeName(identity!), 'Client certificate')
  const subject = subjectOfFingerprint(access.snapshot, identity!.id, clock)
  assert.ok(authorize(access.snapshot, subject, 'can_read', { type: 'topic', name: 'orders' }).allowed)
  assert.equal(getGroup(access.rows, 'watchers').permissions[0]?.url, `/1.0/auth/identities/tls/${identity!.id}`)
})

test('secrets are stored hashed, and only of the right type and within their time', async (t) => {
  const access = await openAccess(t)
  const { secret } = await mint(access, 'link', 'cluster-link')
  assert.ok(!JSON.stringify(listIdentities(access.rows)).includes(secret))
  assert.throws(() => access.checkSecret(secret, 'client'), { code: 'token-type' })
  await assert.rejects(access.activate(secret, 'client', certificate('1')), { code: 'token-type' })
  await assert.rejects(access.activate('0'.repeat(64), 'client', certificate('1')), { code: 'token-unknown' })
  clock.nowMs += 60_000
  assert.throws(() => access.checkSecret(secret, 'cluster-link'), { code: 'token-expired' })
  await assert.rejects(access.activate(secret, 'cluster-link', certificate('1')), { code: 'token-expired' })
  await assert.rejects(access.activate(secret, 'cluster-link', certificate('1')), { code: 'token-unknown' })
  assert.deepEqual(listIdentities(access.rows), [])
})

test('what goes along with an activation fails it, and leaves the token usable', async (t) => {
  const access = await openAccess(t)
  const { secret } = await mint(access, 'berlin')
  const refuse = () => {
    throw new LinkspanError('state-conflict', 'no')
  }
  await assert.rejects(access.activate(secret, 'client', certificate('1'), refuse), { code: 'state-conflict' })
  await access.activate(secret, 'client', certificate('1'), (_, pending, activated) => {
    assert.deepEqual([pending.certificate, activated.id], [null, '1'.repeat(64)])
    return []
  })
})

test('expired tokens are pruned, others stay', async (t) => {
  const access = await openAccess(t)
  await mint(access, 'short', 'client', [], 1000)
  await mint(access, 'long', 'client', [], 100_000)
  clock.nowMs += 1000
  assert.deepEqual(
    (await access.pruneExpired()).map(({ name }) => name),
    ['short'],
  )
  assert.deepEqual(
    listIdentities(access.rows).map(({ name }) => name),
    ['long'],
  )
})

test('a certificate and a name belong to one identity', async (t) => {
  const access = await openAccess(t)
  const create = (name: string, digit: string) => {
    return access.execute('create', (rows) => {
      const input = { kind: 'client', name, groups: [], nowMs: 0, certificate: certificate(digit) } as const
      return { changes: createIdentityChanges(rows, access.hooks, input).changes, result: undefined }
    })
  }
  access.hooks.onCertificateLookup((_, fingerprint) => (fingerprint.startsWith('9') ? 'the link "x"' : undefined))
  await create('one', '1')
  await assert.rejects(create('one', '2'), { code: 'already-exists' })
  await assert.rejects(create('two', '1'), { code: 'already-exists', message: /belongs to the identity "one"/ })
  await assert.rejects(create('two', '9'), { code: 'already-exists', message: /belongs to the link "x"/ })
  const { secret } = await mint(access, 'two')
  await assert.rejects(access.activate(secret, 'client', certificate('1')), { code: 'already-exists' })
  await access.activate(secret, 'client', certificate('2'))
})

test('deleting an identity takes along what hangs on it and what named it, in one batch, and revokes', async (t) => {
  const access = await openAccess(t)
  const revocations: string[][] = []
  access.onChange((_, revoked) => void (revoked.length > 0 && revocations.push([...revoked])))
  access.hooks.onIdentityDelete((rows, identity) => {
    assert.ok(rows)
    return { changes: [], gone: [{ type: 'cluster_link', name: identity.name }] }
  })
  const { secret } = await mint(access, 'berlin', 'cluster-link')
  const { id } = await access.activate(secret, 'cluster-link', certificate('1'))
  await createGroup(
    access,
    'both',
    ['identity', `/1.0/auth/identities/tls/${id}`, 'can_view'],
    ['cluster_link', '/1.0/cluster/links/berlin', 'can_view'],
    ['cluster_link', '/1.0/cluster/links/ber*', 'can_view'],
  )
  await access.execute('delete', (rows) => {
    return { changes: deleteIdentityChanges(rows, access.hooks, id), result: undefined }
  })
  assert.deepEqual(revocations, [[id]])
  assert.deepEqual(
    getGroup(access.rows, 'both').permissions.map(({ url }) => url),
    ['/1.0/cluster/links/ber*'],
  )
  assert.equal(subjectOfFingerprint(access.snapshot, id, clock).kind, 'untrusted')
})

test('another certificate makes another identifier; the old one is revoked', async (t) => {
  const access = await openAccess(t)
  const { secret } = await mint(access, 'me')
  const { id } = await access.activate(secret, 'client', certificate('1'))
  const revocations: (readonly string[])[] = []
  access.onChange((_, revoked) => void revocations.push(revoked))
  await access.execute('replace', (rows) => {
    const update = updateIdentityChanges(rows, access.hooks, id, { certificate: certificate('2') })
    return { changes: update.changes, result: undefined }
  })
  assert.deepEqual(revocations, [[id]])
  assert.equal(getIdentity(access.rows, 'me').id, '2'.repeat(64))
})

test('renaming and deleting a group reaches its members and the permissions on it', async (t) => {
  const access = await openAccess(t)
  const run = (changes: ReturnType<typeof deleteGroupChanges>) => ({ changes, result: undefined })
  await createGroup(access, 'a', ['server', '/1.0', 'viewer'])
  await createGroup(access, 'other', ['group', '/1.0/auth/groups/a', 'can_view'])
  const { id } = await mint(access, 'me', 'client', ['a', 'a'])
  assert.deepEqual(membersOf(access.rows, 'a'), [id])
  await access.execute('rename', (rows) => run(renameGroupChanges(rows, 'a', 'b')))
  assert.deepEqual(getIdentity(access.rows, id).groups, ['b'])
  assert.equal(getGroup(access.rows, 'other').permissions[0]?.url, '/1.0/auth/groups/b')
  await assert.rejects(
    access.execute('rename', (rows) => run(renameGroupChanges(rows, 'b', 'other'))),
    { code: 'already-exists' },
  )
  await access.execute('delete', (rows) => run(deleteGroupChanges(rows, 'b')))
  assert.deepEqual(getIdentity(access.rows, id).groups, [])
  assert.deepEqual(getGroup(access.rows, 'other').permissions, [])
})

test('the built-in group is there, can have members, and cannot be changed', async (t) => {
  const access = await openAccess(t)
  const { secret } = await mint(access, 'root', 'client', ['admins'])
  const { id } = await access.activate(secret, 'client', certificate('1'))
  const subject = subjectOfFingerprint(access.snapshot, id, clock)
  assert.ok(authorize(access.snapshot, subject, 'can_edit', { type: 'server', name: '' }).allowed)
  await assert.rejects(createGroup(access, 'admins'), { code: 'already-exists' })
  assert.throws(() => deleteGroupChanges(access.rows, 'admins'), { code: 'invalid-request' })
  assert.throws(() => renameGroupChanges(access.rows, 'admins', 'x'), { code: 'invalid-request' })
})

test('permissions are checked, and stored in one form', async (t) => {
  const access = await openAccess(t)
  const wrong: [string, string, string][] = [
    ['planet', '/1.0', 'admin'],
    ['server', '/1.0/topics/x', 'admin'],
    ['topic', '/1.0/topics/x', 'can_fly'],
    ['topic', '/elsewhere', 'can_read'],
    ['topic', '/1.0/topics/__c*', 'can_read'],
    ['group', '/1.0/auth/groups/nobody', 'can_view'],
    ['cluster_link', '/1.0/cluster/links/nowhere', 'can_view'],
  ]
  access.hooks.onExistence('cluster_link', () => false)
  for (const permission of wrong) {
    await assert.rejects(createGroup(access, 'g', permission), { code: 'invalid-request' }, permission.join(' '))
  }
  await createGroup(
    access,
    'g',
    ['instance', '/1.0/instances/%2A?project=default', 'can_manage_backups'],
    ['instance', '/1.0/instances', 'can_manage_backups'],
    ['topic', '/1.0/topics/orders', 'can_read'],
  )
  assert.deepEqual(getGroup(access.rows, 'g').permissions, [
    { entity_type: 'instance', url: '/1.0/instances', entitlement: 'can_manage_backups' },
    { entity_type: 'topic', url: '/1.0/topics/orders', entitlement: 'can_read' },
  ])
  for (const name of ['', 'a/b', 'a:b', 'a\nb']) {
    await assert.rejects(createGroup(access, name), { code: 'invalid-request' })
  }
})

test('a text that is no certificate is refused', () => {
  assert.throws(() => readIdentityCertificate('hello', clock), { code: 'invalid-request' })
})

test('an announced certificate is accepted too, until it takes the place or its time is over', async (t) => {
  const access = await openAccess(t)
  const { secret } = await mint(access, 'berlin', 'cluster-link')
  const { id } = await access.activate(secret, 'cluster-link', certificate('1'))
  const run = (work: (rows: Access['rows']) => { changes: RowChange[] }) => {
    return access.execute('change', (rows) => ({ changes: work(rows).changes, result: undefined }))
  }
  const announce = (digit: string, generation = 1) => {
    const announced = { certificate: certificate(digit), untilMs: clock.nowMs + 1000, generation }
    return run((rows) => announceCertificateChanges(rows, access.hooks, id, announced))
  }
  const isKnown = (digit: string) => {
    return subjectOfFingerprint(access.snapshot, digit.repeat(64), clock).kind === 'identity'
  }
  await assert.rejects(announce('1'), { code: 'invalid-request' })
  await announce('2')
  await announce('3')
  assert.deepEqual(['1', '2', '3'].map(isKnown), [true, false, true])
  assert.throws(() => checkCertificateFree(access.rows, access.hooks, '3'.repeat(64)), { code: 'already-exists' })
  const subject = subjectOfFingerprint(access.snapshot, '3'.repeat(64), clock)
  assert.ok(authorize(access.snapshot, subject, 'can_view', { type: 'identity', name: id }).allowed, 'it is the same')
  clock.nowMs += 1001
  assert.deepEqual(['1', '3'].map(isKnown), [true, false])
  await run((rows) => ({ changes: forgetAnnouncedChanges(rows, access.hooks, id) }))
  assert.equal(getIdentity(access.rows, id).next, undefined)

  await announce('4', 3)
  await assert.rejects(announce('5', 2), { code: 'state-conflict', message: /generation 3 was restored/ })
  const revocations: (readonly string[])[] = []
  access.onChange((_, revoked) => void revocations.push(revoked))
  const update = { certificate: certificate('4'), generation: 3 }
  await run((rows) => updateIdentityChanges(rows, access.hooks, id, update))
  assert.deepEqual(revocations, [['1'.repeat(64)]])
  assert.deepEqual(['1', '4'].map(isKnown), [false, true])
  assert.deepEqual([supersededBy(access.rows, id), supersededBy(access.rows, '4'.repeat(64))], [3, undefined])
  const back = { certificate: certificate('5'), generation: 2 }
  await assert.rejects(
    run((rows) => updateIdentityChanges(rows, access.hooks, '4'.repeat(64), back)),
    { code: 'state-conflict' },
  )
})
