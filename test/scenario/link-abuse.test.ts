import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { encodeToken } from '../../src/identity/trust-token.ts'
import { Crowd, type CrowdAnswer } from '../support/crowd.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { callV1, linksPath, mintLinkToken } from '../support/link-calls.ts'
import { waitFor } from '../support/process.ts'
import { startProxy } from '../support/proxy.ts'
import { dumpState } from '../support/state-dump.ts'

const megabyte = 1024 * 1024

async function residentBytes({ process: { pid } }: Daemon): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

async function crowdAt(daemon: Daemon, size: { people: number; socketsEach: number }): Promise<Crowd> {
  const certificate = await readFile(join(daemon.stateDir, 'cluster.crt'), 'utf8')
  return new Crowd(daemon.ready.https, certificate, size)
}

function counts(answers: readonly CrowdAnswer[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const { status, code } of answers) {
    const kind = `${status} ${code}`.trim()
    found[kind] = (found[kind] ?? 0) + 1
  }
  return found
}

const activation = (token: string, certificate: string, address: string) => ({
  name: '',
  type: 'bidirectional',
  config: { 'volatile.addresses': address },
  trust_token: token,
  cluster_certificate: certificate,
})

test('ten thousand forged tokens open nothing, change nothing, and cost bounded time and memory', async (t) => {
  await using daemon = await startDaemon({ name: 'site' })
  for (let index = 0; index < 20; index += 1) await mintLinkToken(daemon, `waiting-${index}`)
  const real = await mintLinkToken(daemon, 'wanted')
  const untouched = dumpState(daemon.stateDir)
  const certificate = await readFile(join(daemon.stateDir, 'cluster.crt'), 'utf8')
  using crowd = await crowdAt(daemon, { people: 250, socketsEach: 1 })
  const beforeBytes = await residentBytes(daemon)
  const startedMs = performance.now()
  const forged = (turn: number) => {
    const secret = turn.toString(16).padStart(64, '0')
    const token = encodeToken({ ...real, secret })
    return crowd.post(turn, linksPath, activation(token, certificate, '127.0.0.1:1'))
  }
  const answers = await Promise.all(Array.from({ length: 10_000 }, (_, turn) => forged(turn)))
  const tookMs = performance.now() - startedMs
  const grownBytes = (await residentBytes(daemon)) - beforeBytes
  t.diagnostic(
    `${Math.round(tookMs)} ms, ${Math.round(grownBytes / megabyte)} MB more, ${JSON.stringify(counts(answers))}`,
  )
  assert.deepEqual(counts(answers), { '403 token-unknown': 10_000 })
  assert.ok(tookMs < 30_000, `it took ${tookMs} ms`)
  assert.ok(grownBytes < 200 * megabyte, `it took ${grownBytes} bytes`)
  assert.deepEqual(dumpState(daemon.stateDir), untouched)
  // Everybody else is served all the while.
  assert.equal((await callV1(daemon, 'GET', linksPath)).metadata.length, 21)
})

test('from one address, tokens can be guessed five times a second and no more', async () => {
  await using daemon = await startDaemon({ name: 'site' })
  const real = await mintLinkToken(daemon, 'wanted')
  const certificate = await readFile(join(daemon.stateDir, 'cluster.crt'), 'utf8')
  using crowd = await crowdAt(daemon, { people: 1, socketsEach: 8 })
  const startedMs = performance.now()
  const guesses = Array.from({ length: 500 }, (_, turn) => {
    const token = encodeToken({ ...real, secret: turn.toString(16).padStart(64, '0') })
    return crowd.post(turn, linksPath, activation(token, certificate, '127.0.0.1:1'))
  })
  const answers = await Promise.all(guesses)
  const judged = answers.filter(({ code }) => code === 'token-unknown').length
  const allowed = 40 + 5 * Math.ceil((performance.now() - startedMs) / 1000)
  assert.ok(judged >= 40 && judged <= allowed, `${judged} of at most ${allowed}`)
  assert.equal(answers.filter(({ code }) => code === 'rate-limited').length, 500 - judged)
})

test('of a thousand activations of one token at once exactly one succeeds', async (t) => {
  await using west = await startDaemon({ name: 'west' })
  await using east = await startDaemon({ name: 'east' })
  const token = encodeToken(await mintLinkToken(west, 'east'))
  const certificate = await readFile(join(east.stateDir, 'cluster.crt'), 'utf8')
  using crowd = await crowdAt(west, { people: 25, socketsEach: 40 })
  const beforeBytes = await residentBytes(west)
  const startedMs = performance.now()
  const body = activation(token, certificate, east.ready.https)
  const answers = await Promise.all(Array.from({ length: 1000 }, (_, turn) => crowd.post(turn, linksPath, body)))
  const tookMs = performance.now() - startedMs
  const grownBytes = (await residentBytes(west)) - beforeBytes
  t.diagnostic(
    `${Math.round(tookMs)} ms, ${Math.round(grownBytes / megabyte)} MB more, ${JSON.stringify(counts(answers))}`,
  )
  assert.equal(answers.filter(({ status }) => status === 201).length, 1)
  const refusals = ['token-unknown', 'already-exists', 'rate-limited']
  assert.ok(answers.every(({ status, code }) => status === 201 || refusals.includes(code!)))
  assert.ok(tookMs < 30_000, `it took ${tookMs} ms`)
  assert.ok(grownBytes < 200 * megabyte, `it took ${grownBytes} bytes`)
  const links = await west.client.clusterLinks.list()
  assert.deepEqual(
    links.map(({ name, config }) => [name, config['volatile.addresses']]),
    [['east', east.ready.https]],
  )
  assert.equal((await west.client.identities.list()).length, 1)
})

test('whoever holds a token can make a daemon knock at eight doors for ten seconds, silently', async () => {
  await using daemon = await startDaemon({ name: 'site' })
  const token = encodeToken(await mintLinkToken(daemon, 'wanted'))
  const certificate = await readFile(join(daemon.stateDir, 'host.crt'), 'utf8')
  const doors = await Promise.all(Array.from({ length: 8 }, () => startProxy({ host: '127.0.0.1', port: 1 })))
  // Each takes a connection and is silent; what comes to it is counted.
  for (const door of doors) door.hold('requests')
  using crowd = await crowdAt(daemon, { people: 1, socketsEach: 1 })
  const addresses = doors.map(({ address }) => address)
  const startedMs = performance.now()
  const answer = await crowd.post(0, linksPath, activation(token, certificate, addresses.join(',')))
  const tookMs = performance.now() - startedMs
  assert.deepEqual([answer.status, answer.code], [502, 'unreachable'])
  assert.ok(tookMs < 12_000, `it took ${tookMs} ms`)
  await waitFor(() => doors.every(({ connections }) => connections === 0), { what: 'the end of all knocks' })
  const nine = [...addresses, '127.0.0.1:9'].join(',')
  assert.equal((await crowd.post(0, linksPath, activation(token, certificate, nine))).status, 400)
  assert.deepEqual(
    doors.map(({ accepted }) => accepted),
    addresses.map(() => 1),
  )
  await Promise.all(doors.map((door) => door.close()))
})
