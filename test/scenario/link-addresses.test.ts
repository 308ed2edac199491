import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { TrustToken } from '../../src/identity/trust-token.ts'
import { announcePath } from '../../src/link/announce.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { type FakePeer, respond, startFakePeer } from '../support/fake-peer.ts'
import { callV1, linksPath, useLinkToken } from '../support/link-calls.ts'
import { freePorts } from '../support/ports.ts'
import { waitFor } from '../support/process.ts'
import { startProxy } from '../support/proxy.ts'
import { dumpState } from '../support/state-dump.ts'

/** A peer of LXD's: it tells its members when it is asked, and knows nothing of our own announcements. */
let peer: FakePeer
let daemon: Daemon

before(async () => {
  ;[peer, daemon] = await Promise.all([startFakePeer(), startDaemon({ name: 'site' })])
  peer.trusted = true
  peer.onActivation = (response) => respond(response, 201, { metadata: null })
})

after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  await peer?.[Symbol.asyncDispose]()
})

const tokenOf = ({ fingerprint, address }: FakePeer): TrustToken => ({
  client_name: 'x',
  fingerprint,
  addresses: [address],
  secret: 'e'.repeat(64),
  expires_at: '0001-01-01T00:00:00Z',
  type: 'Cluster link certificate',
})

async function storedAddresses(): Promise<string[]> {
  const { metadata } = await callV1(daemon, 'GET', `${linksPath}/lxd`)
  return metadata.config['volatile.addresses'].split(',')
}

test('right after linking, the members of the other cluster are learnt, as far as they are true', async () => {
  await using stranger = await startFakePeer()
  await using door = await startProxy({ host: '127.0.0.1', port: Number(peer.address.split(':').at(-1)) })
  const [closed] = await freePorts(1)
  const told = [door.address, peer.address, stranger.address, `127.0.0.1:${closed}`]
  peer.members = [...told.map((address) => `https://${address}`), 'https://not an address', 'https://a,b:1']
  assert.equal((await useLinkToken(daemon, 'lxd', tokenOf(peer))).status, 201)
  await waitFor(async () => (await storedAddresses()).length > 1, { what: 'the members' })
  assert.deepEqual(await storedAddresses(), [door.address, peer.address])
  const { metadata: warnings } = await callV1(daemon, 'GET', '/1.0/warnings?recursion=1')
  // biome-ignore lint/suspicious/noExplicitAny: whatever came
  const [warning] = warnings.filter(({ entity_url }: any) => entity_url === `${linksPath}/lxd`)
  assert.equal(warning.type, 'An address of a cluster link presents another certificate')
  assert.match(warning.last_message, new RegExp(`^${stranger.address} presented`))
})

test('a peer that knows no announcements is told once, and not again and again', async () => {
  const { stateDir } = daemon
  await daemon.stop()
  const [port] = await freePorts(1)
  const moved = `127.0.0.1:${port}`
  const next = await startDaemon({ name: 'site', stateDir, args: ['--listen', moved] })
  try {
    const announcements = () => peer.requests.filter(({ url }) => url === announcePath)
    await waitFor(() => announcements().length > 0, { what: 'the announcement' })
    assert.deepEqual(JSON.parse(announcements()[0]!.body), { addresses: [moved] })
    assert.equal(announcements()[0]!.method, 'PUT')
    const noted = () => dumpState(stateDir).some((row) => row.startsWith('link ') && row.includes(`"${moved}"`))
    await waitFor(noted, { what: 'the note that it was told' })
    assert.equal(announcements().length, 1)
  } finally {
    await next.stop()
  }
})
