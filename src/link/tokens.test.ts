import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkRequest, newCertificate, openWorld } from '../../test/support/link-world.ts'
import { createPendingIdentityChanges } from '../access/identities.ts'
import { identityTable } from '../access/rows.ts'

const dayMs = 86_400_000

test('a token that was issued again voids the one before, and lives as long as a new one', async (t) => {
  const { links, access, clock } = await openWorld(t)
  const { identityId, token, link } = await links.mintToken(linkRequest('berlin'))
  clock.nowMs += 14 * dayMs
  const again = await links.reissueToken('berlin')
  assert.equal(again.identityId, identityId)
  assert.deepEqual(
    { ...again.token, secret: '', expires_at: '' },
    { ...token, secret: '', expires_at: '' },
    'the same token, but for what is new',
  )
  assert.equal(Date.parse(again.token.expires_at), clock.nowMs + 15 * dayMs)
  assert.throws(() => access.checkSecret(token.secret, 'cluster-link'), { code: 'token-unknown' })
  assert.equal(access.checkSecret(again.token.secret, 'cluster-link').id, identityId)
  assert.equal(links.byId(link.id)?.identityId, identityId)
  await access.activate(again.token.secret, 'cluster-link', await newCertificate(clock))
  await assert.rejects(links.reissueToken('berlin'), { code: 'state-conflict', message: /has used its token/ })
  await assert.rejects(links.reissueToken('nobody'), { code: 'not-found' })
})

test('a token that has expired can be issued again as long as its link is there', async (t) => {
  const { links, clock } = await openWorld(t)
  await links.mintToken(linkRequest('berlin'))
  clock.nowMs += 16 * dayMs
  assert.deepEqual(links.outstandingTokens(), [])
  await links.reissueToken('berlin')
  assert.equal(links.outstandingTokens().length, 1)
})

test('the list of outstanding tokens says what each is for, since when and until when', async (t) => {
  const { links, access, store, clock } = await openWorld(t)
  const startMs = clock.nowMs
  const { link } = await links.mintToken(linkRequest('paris'))
  await links.mintIdentityToken(linkRequest('one-way'))
  const expiresAtMs = null
  await access.execute('test', (rows) => {
    const input = { kind: 'client', name: 'a person', groups: [], nowMs: startMs, expiresAtMs } as const
    const { changes } = createPendingIdentityChanges(rows, input)
    return { changes, result: undefined }
  })
  clock.nowMs += dayMs
  const { identityId } = await links.reissueToken('one-way')
  const tokens = links.outstandingTokens()
  assert.deepEqual(
    tokens.map(({ identity, link: waiting, type, issuedAtMs, expiresAtMs }) => {
      return [identity.name, waiting?.id, type, issuedAtMs, expiresAtMs]
    }),
    [
      ['a person', undefined, 'Client certificate', startMs, null],
      ['one-way', undefined, 'Cluster link certificate', startMs + dayMs, startMs + 16 * dayMs],
      ['paris', link.id, 'Cluster link certificate', startMs, startMs + 15 * dayMs],
    ],
  )
  await access.execute('test', () => ({ changes: [identityTable.remove(identityId)], result: undefined }))
  assert.equal(links.outstandingTokens().length, 2)
  assert.ok(store.dump().length > 0)
})

test('a token names the addresses that were chosen, if they are ours', async (t) => {
  const { links } = await openWorld(t, ['10.0.0.1:8443', '[fd00::1]:8443', 'west.example:443'])
  const addressesOf = async (name: string, addresses: string[]) => {
    return (await links.mintToken(linkRequest(name, { addresses }))).token.addresses
  }
  assert.equal((await addressesOf('all', [])).length, 3)
  assert.deepEqual(await addressesOf('one', ['10.0.0.1']), ['10.0.0.1:8443'])
  assert.deepEqual(await addressesOf('two', ['west.example:443', 'fd00::1', '[fd00::1]:8443']), [
    'west.example:443',
    '[fd00::1]:8443',
  ])
  const again = await links.reissueToken('all', ['west.example'])
  assert.deepEqual(again.token.addresses, ['west.example:443'])
  for (const stranger of ['10.0.0.2', '10.0.0.1:9', 'west.example:8443', 'no address', '']) {
    const minted = links.mintToken(linkRequest('none', { addresses: [stranger] }))
    await assert.rejects(minted, {
      code: 'invalid-request',
      message: /is not an address of this cluster, which has 10/,
    })
    await assert.rejects(links.reissueToken('all', [stranger]), { code: 'invalid-request' })
  }
  assert.equal(links.get('none'), undefined)
})
