import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { arbitraryMessage } from '../../../test/support/arbitrary-message.ts'
import { systemClock } from '../../base/clock.ts'
import { type Log, silentLog } from '../../base/log.ts'
import { createTopics } from '../../kafka/admin/topics.ts'
import { openCluster } from '../../kafka/open-cluster.ts'
import { buildBatch } from '../../records/build.ts'
import { apis } from '../../wire/api/index.ts'
import { isFlexible } from '../../wire/codec.ts'
import { encodeRequest } from '../../wire/frame.ts'
import type { Api } from '../../wire/schema.ts'
import { brokerDefaults, saslMechanisms } from '../config.ts'
import { openNode } from '../open-node.ts'
import type { BrokerSession } from '../session.ts'
import { handlerOf, RawClient, startTestServer, type TestServer } from './test-server.ts'

/** Of all tests together: LINKSPAN_TEST_FUZZ=1 makes it a million, a larger number just so many. */
const wanted = process.env.LINKSPAN_TEST_FUZZ
const numRuns = wanted === undefined ? 3000 : Number(wanted) > 1 ? Number(wanted) : 1_000_000
const hangMs = 5000
const timeout = numRuns * 50 + 60_000

interface Damage {
  kind: 'flip' | 'cut' | 'insert' | 'repeat' | 'size' | 'none'
  at: number
  value: number
}

const damages: fc.Arbitrary<Damage[]> = fc.array(
  fc.record({
    kind: fc.constantFrom('flip', 'cut', 'insert', 'repeat', 'size', 'none'),
    at: fc.nat(0xffff),
    value: fc.nat(0xffffffff),
  }),
  { maxLength: 4 },
)

const ownNames = new Set(['SaslHandshake', 'SaslAuthenticate', 'ApiVersions'])

const requests = fc.constantFrom(...apis).chain((api) => {
  const [min, max] = api.versions
  return fc.integer({ min, max }).chain((version) => {
    const flexible = isFlexible(api, version)
    return fc.tuple(arbitraryMessage(api.request, version, flexible), fc.nat()).map(([body, seed]) => {
      return frameOf(api, version, seed % 2 === 0 ? body : (seasoned(body, seed) as object))
    })
  })
})

const batch = buildBatch([{ timestampMs: 1, key: null, value: Buffer.from('value') }])
/** Names and numbers that mean something to the broker, so that requests get further than to an unknown name. */
const meaningful: Record<string, unknown> = {
  ...{ name: 'orders', topic: 'orders', resourceName: 'orders', groupId: 'readers', group: 'readers' },
  ...{ partition: 0, partitionIndex: 0, index: 0, records: batch, numPartitions: 1, replicationFactor: 1 },
  ...{ sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 100, maxWaitMs: 5, maxBytes: 100_000, partitionMaxBytes: 10_000 },
  ...{ acks: -1, fetchOffset: 0, transactionalId: null, resourceType: 2, replicaId: -1, protocolType: 'consumer' },
}

function seasoned(value: unknown, seed: number): unknown {
  if (Array.isArray(value)) return value.map((item, index) => seasoned(item, seed + index))
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value
  const entries = Object.entries(value).map(([key, inner], index) => {
    const replaced = key in meaningful && typeof inner !== 'object' && (seed >> (index % 20)) % 4 > 0
    return [key, replaced || key === 'records' ? meaningful[key] : seasoned(inner, seed + index)]
  })
  return Object.fromEntries(entries)
}

interface Script {
  requests: { frame: Buffer; damage: Damage[] }[]
  waitMs: number
}

const scripts: fc.Arbitrary<Script> = fc.record({
  requests: fc.array(fc.record({ frame: requests, damage: damages }), { minLength: 1, maxLength: 4 }),
  waitMs: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(20) }),
})

function frameOf(api: Api, version: number, body: object): Buffer {
  return Buffer.concat(encodeRequest(api, version, 7, 'fuzz', body))
}

function damaged(frame: Buffer, damage: readonly Damage[]): Buffer {
  let bytes = Buffer.from(frame)
  for (const { kind, at, value } of damage) {
    const place = bytes.length === 0 ? 0 : at % bytes.length
    if (kind === 'flip' && bytes.length > 0) bytes[place] = bytes[place]! ^ (1 + (value % 255))
    if (kind === 'cut') bytes = bytes.subarray(0, place)
    if (kind === 'insert')
      bytes = Buffer.concat([bytes.subarray(0, place), Buffer.from(`${value}`), bytes.subarray(place)])
    if (kind === 'repeat') bytes = Buffer.concat([bytes, bytes.subarray(place)])
    // A size that fits what follows: the damage is then met further in.
    if (kind === 'size' && bytes.length >= 4) bytes.writeInt32BE(bytes.length - 4)
  }
  return bytes
}

function handlersOfAll() {
  const others = apis.filter(({ name }) => !ownNames.has(name))
  return others.map((api) => {
    return handlerOf(api, async (_, { session }: { session: BrokerSession }) => {
      await Promise.resolve(session.principal)
      return {}
    })
  })
}

/** Sends everything, waits a little for answers or not, and leaves: the server has to come to its end all the same. */
async function play(server: TestServer, { requests, waitMs }: Script): Promise<void> {
  using client = await RawClient.connect(connect(server.address))
  for (const { frame, damage } of requests) client.socket.write(damaged(frame, damage))
  if (waitMs > 0) await Promise.race([client.closed, new Promise((resolve) => setTimeout(resolve, waitMs))])
  client.socket.end()
  const timer = setTimeout(() => client.socket.destroy(new Error('hangs')), hangMs)
  await client.closed
  clearTimeout(timer)
  assert.equal(client.socket.errored?.message === 'hangs', false, 'the server neither answers nor closes')
}

/** Buffers are given back only after the turn in which they were found to be garbage. */
async function heapBytes(): Promise<number> {
  setFlagsFromString('--expose-gc')
  for (let round = 0; round < 3; round += 1) {
    runInNewContext('gc')()
    await new Promise((resolve) => setImmediate(resolve))
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Nothing may be left of all that: no connection, no growing heap. */
async function attack(server: TestServer, runs: number): Promise<void> {
  let done = 0
  let heapBefore = 0
  const property = fc.asyncProperty(scripts, async (script) => {
    await play(server, script)
    done += 1
    if (done === Math.floor(runs / 3)) heapBefore = await heapBytes()
  })
  await fc.assert(property, { numRuns: runs, endOnFailure: true })
  for (let waitedMs = 0; server.server.connections > 0; waitedMs += 10) {
    assert.ok(waitedMs < hangMs, `${server.server.connections} connections are left`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const grownBytes = (await heapBytes()) - heapBefore
  assert.ok(grownBytes < 24 * 1024 * 1024, `${grownBytes} bytes more than after the first third`)
}

function keepingBugs(): { bugs: object[]; log: Log } {
  const bugs: object[] = []
  const log: Log = { ...silentLog, error: (fields) => void bugs.push(fields), child: () => log }
  return { bugs, log }
}

for (const protocol of ['PLAINTEXT', 'SASL_PLAINTEXT'] as const) {
  test(`mutated requests on ${protocol}: no crash, no hang, no memory that stays`, { timeout }, async () => {
    const { bugs, log } = keepingBugs()
    const mechanisms = protocol === 'PLAINTEXT' ? [] : saslMechanisms
    const security = { protocol, mechanisms, users: [{ name: 'alice', password: 'secret' }] }
    const limits = { loginFailureDelayMs: 0 }
    await using server = await startTestServer({ handlers: handlersOfAll(), log, limits, security })
    await attack(server, Math.ceil(numRuns / 3))
    assert.deepEqual([bugs, server.server.heldBytes], [[], 0])
  })
}

test('mutated requests to a whole broker', { timeout }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-fuzz-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const { bugs, log } = keepingBugs()
  const config = { ...brokerDefaults, numPartitions: 1 }
  await using open = await openNode({ folder: join(folder, 'broker'), config, clock: systemClock, log })
  await using server = await startTestServer({ node: open.node, log })
  await using cluster = openCluster(server.spec(), { clock: systemClock, log: silentLog })
  await createTopics(cluster, [{ name: 'orders', partitions: 2 }])
  await cluster[Symbol.asyncDispose]()
  await attack(server, Math.ceil(numRuns / 3))
  // Who waits in a group waits on when its connection is gone; this is the end of it.
  await open.dispose()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([bugs, server.server.heldBytes], [[], 0])
})
