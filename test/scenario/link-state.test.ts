import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { ClusterLinkState } from '../../src/contract/v1.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { callV1, linkDaemons, linksPath, mintLinkToken, useLinkToken } from '../support/link-calls.ts'
import { freePorts } from '../support/ports.ts'
import { waitFor } from '../support/process.ts'
import { startProxy, type TestProxy } from '../support/proxy.ts'
import { cli, refused } from '../support/sites.ts'

/**
 * What a link says of its other side, and how soon. West is reached through three proxies, which stand for the members
 * of a cluster; east looks at it.
 */
const statesWithinMs = 5000
let doors: TestProxy[] = []
let west: Daemon
let east: Daemon
let listen = ''
const lives: Daemon[] = []

async function startWest(open: number, stateDir?: string): Promise<Daemon> {
  const advertise = doors.slice(0, open).map(({ address }) => address)
  const args = ['--listen', listen, '--advertise', advertise.join(',')]
  const daemon = await startDaemon({ name: 'west', args, ...(stateDir ? { stateDir } : {}) })
  lives.push(daemon)
  return daemon
}

before(async () => {
  const [port] = await freePorts(1)
  listen = `127.0.0.1:${port}`
  doors = await Promise.all([1, 2, 3].map(() => startProxy({ host: '127.0.0.1', port: port! })))
  ;[west, east] = await Promise.all([startWest(2), startDaemon({ name: 'east' })])
  await linkDaemons(west, east, { atOne: 'east', atOther: 'west' })
})

after(async () => {
  // The first life has the folder that the others go on with.
  for (const daemon of [east, ...lives.toReversed()]) await daemon?.[Symbol.asyncDispose]()
  await Promise.all(doors.map((door) => door.close()))
})

type Member = ClusterLinkState['cluster_link_members'][number]

async function membersOf(at: Daemon, name: string): Promise<Member[]> {
  const startedMs = performance.now()
  const { cluster_link_members: members } = await at.client.clusterLinks.state(name)
  const tookMs = performance.now() - startedMs
  assert.ok(tookMs < statesWithinMs, `it took ${tookMs} ms`)
  return members
}

const statusesOf = async (at: Daemon, name: string) => (await membersOf(at, name)).map(({ status }) => status)

/** The status of each of east's warnings about the link. */
async function warned(): Promise<Map<string, string>> {
  const { metadata } = await callV1(east, 'GET', '/1.0/warnings?recursion=1')
  // biome-ignore lint/suspicious/noExplicitAny: whatever came
  const about = metadata.filter(({ entity_url }: any) => entity_url === `${linksPath}/west`)
  return new Map(about.map(({ type, status }: { type: string; status: string }) => [type, status]))
}

test('members that are there are active, with their name, the time and the way to them', async () => {
  const members = await membersOf(east, 'west')
  assert.deepEqual(
    members.map(({ server_name, address, status, reason }) => ({ server_name, address, status, reason })),
    doors.slice(0, 2).map(({ address }) => ({ server_name: 'west', address, status: 'Active', reason: undefined })),
  )
  for (const { round_trip_ms, last_seen_at } of members) {
    assert.ok(round_trip_ms! > 0 && round_trip_ms! < 2000, `${round_trip_ms} ms`)
    assert.ok(Math.abs(Date.parse(last_seen_at!) - Date.now()) < 60_000, last_seen_at)
  }
  const asked = await callV1(east, 'GET', `${linksPath}/west/state?target=east`)
  assert.equal(asked.metadata.cluster_link_members.length, 2)
  const stranger = await callV1(east, 'GET', `${linksPath}/west/state?target=nobody`)
  assert.deepEqual([stranger.status, stranger.code], [404, 'not-found'])
  const info = await cli(east, 'cluster link info west --target east')
  assert.match(await refused(east, 'cluster link info west --target nobody'), /nobody/)
  assert.match(info, /^Cluster link members:$/m)
  assert.equal(info.match(/ ACTIVE /g)?.length, 2)
})

test('a member that joins is told to the peer, not found by it a day later', async () => {
  await west.stop()
  west = await startWest(3, west.stateDir)
  await waitFor(async () => (await membersOf(east, 'west')).length === 3, { what: 'the third address' })
  assert.deepEqual(await statusesOf(east, 'west'), ['Active', 'Active', 'Active'])
  assert.deepEqual(await statusesOf(west, 'east'), ['Active'])
})

test('one address that is cut off is told from the others, whether it refuses or swallows', async () => {
  const [, second, third] = doors
  const seenBefore = (await membersOf(east, 'west'))[1]!.last_seen_at!
  second!.refusing = true
  third!.hold('requests')
  const members = await membersOf(east, 'west')
  assert.deepEqual(
    members.map(({ status }) => status),
    ['Active', 'Unreachable', 'Unreachable'],
  )
  assert.match(members[1]!.reason!, /^(it closed the connection|the connection was closed while it was opened)$/)
  assert.match(members[2]!.reason!, /did not answer within 4000 ms/)
  assert.ok(members[1]!.last_seen_at! >= seenBefore && members[1]!.last_seen_at! < members[0]!.last_seen_at!)
  assert.equal(members[1]!.round_trip_ms, undefined)
  const info = await cli(east, 'cluster link info west')
  assert.deepEqual([info.match(/ ACTIVE /g)?.length, info.match(/ UNREACHABLE /g)?.length], [1, 2])
  second!.refusing = false
  third!.kill()
  third!.release('requests')
  assert.deepEqual(await statusesOf(east, 'west'), ['Active', 'Active', 'Active'])
})

test('somebody else behind an address is told from a dead one, and gets nothing', async () => {
  await using stranger = await startDaemon({ name: 'stranger' })
  const [first] = doors
  const port = Number(new URL(`https://${stranger.ready.https}`).port)
  const { target } = first!
  first!.target = { host: '127.0.0.1', port }
  const [wrong, ...others] = await membersOf(east, 'west')
  assert.equal(wrong!.status, 'Unreachable')
  assert.match(wrong!.reason!, /^it presented another certificate than the pinned one \(expected [0-9a-f]{12}, got /)
  assert.ok(others.every(({ status }) => status === 'Active'))
  first!.target = target
})

test('a link that the other side deleted is shown as the half that it is', async () => {
  await linkDaemonsAgain()
  await west.client.clusterLinks.delete('east')
  const members = await membersOf(east, 'west')
  assert.ok(members.every(({ status }) => status === 'Unauthenticated'))
  assert.match(members[0]!.reason!, /does not trust this cluster: only this half of the link is left/)
  assert.ok(members[0]!.round_trip_ms! > 0)
  assert.match(await cli(east, 'cluster link info west'), / UNAUTHENTICATED /)
  assert.equal((await warned()).get('Cluster link is left on this side only'), 'new')
  await linkDaemonsAgain()
})

/** From whatever is left of the link. */
async function linkDaemonsAgain(): Promise<void> {
  for (const [at, name] of [
    [west, 'east'],
    [east, 'west'],
  ] as const) {
    if ((await callV1(at, 'GET', `${linksPath}/${name}`)).status === 200) await at.client.clusterLinks.delete(name)
  }
  await linkDaemons(west, east, { atOne: 'east', atOther: 'west' })
}

test('a peer that is killed is unreachable at all of its addresses, and active again after its start', async () => {
  await west.kill('SIGKILL')
  const dead = await membersOf(east, 'west')
  assert.deepEqual(
    dead.map(({ status }) => status),
    ['Unreachable', 'Unreachable', 'Unreachable'],
  )
  assert.ok(dead.every(({ last_seen_at }) => last_seen_at !== undefined))
  assert.equal((await warned()).get('Cluster link is not reached'), 'new')
  west = await startWest(3, west.stateDir)
  assert.deepEqual(await statusesOf(east, 'west'), ['Active', 'Active', 'Active'])
  assert.equal((await warned()).get('Cluster link is not reached'), 'resolved')
  await west.kill('SIGKILL')
  await east.client.clusterLinks.delete('west')
  west = await startWest(3, west.stateDir)
  assert.ok((await statusesOf(west, 'east')).every((status) => status === 'Unauthenticated'))
  await west.client.clusterLinks.delete('east')
})

test('a clock that is five minutes off changes nothing', async () => {
  for (const minutes of [5, -5]) {
    const shift = `data:text/javascript,const%20now=Date.now;Date.now=()=>now()+${minutes * 60_000}`
    await using off = await startDaemon({ name: 'off', env: { NODE_OPTIONS: `--import=${shift}` } })
    await using on = await startDaemon({ name: 'on' })
    for (const [one, other] of [
      [off, on],
      [on, off],
    ] as const) {
      assert.equal((await useLinkToken(other, 'one', await mintLinkToken(one, 'other'))).status, 201)
      assert.deepEqual([await statusesOf(one, 'other'), await statusesOf(other, 'one')], [['Active'], ['Active']])
      await one.client.clusterLinks.delete('other')
      await other.client.clusterLinks.delete('one')
    }
  }
})
