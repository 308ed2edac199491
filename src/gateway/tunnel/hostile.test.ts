import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { revealingKafka, topicIds } from '../../../test/support/revealing-kafka.ts'
import { linkId, testRights } from '../../../test/support/tunnel-world.ts'
import { systemClock } from '../../base/clock.ts'
import { isLinkspanError } from '../../base/errors.ts'
import { silentLog } from '../../base/log.ts'
import type { KafkaConnection } from '../../kafka/connection.ts'
import type { Frame } from '../../transport/frame-reader.ts'
import { apis } from '../../wire/api/index.ts'
import { encodeRequest } from '../../wire/frame.ts'
import type { Api, RequestInput } from '../../wire/schema.ts'
import { defaultTunnelLimits } from './limits.ts'
import { LinkUsages } from './link-usage.ts'
import type { Outlet } from './outlet.ts'
import { Violation } from './rule.ts'
import { TunnelSession } from './session.ts'
import { TunnelSource } from './source.ts'

const rounds = 20_000
/** The same damage in every run. */
const seed = 20_261_121

const kafka = revealingKafka()
let source: TunnelSource
let connection: KafkaConnection

before(async () => {
  await kafka.listen()
  const bootstrap = [{ host: '127.0.0.1', port: kafka.port }]
  const spec = { reach: 'kafka' as const, clientId: 'gateway', bootstrap }
  source = new TunnelSource({ spec, clock: systemClock, log: silentLog })
  connection = await source.open({ kind: 'bootstrap' }, { clientId: linkId })
})

after(async () => {
  connection.close()
  await source[Symbol.asyncDispose]()
  await kafka[Symbol.asyncDispose]()
})

/** Every message that we can build, permitted or not, each with some names in it. */
function seeds(): Buffer[] {
  const names = ['orders', 'secret', 'team-a', 'hidden']
  return apis.flatMap((api) => {
    const frames: Buffer[] = []
    for (let version = api.versions[0]; version <= api.versions[1]; version += 1) {
      for (const body of [{}, { topics: [{ name: names[0], topic: names[0], topicId: topicIds.orders }] }]) {
        try {
          const chunks = encodeRequest(api, version, 7, 'spoofed', body as RequestInput<Api>)
          frames.push(Buffer.concat(chunks).subarray(4))
        } catch {
          // not expressible in this version
        }
      }
    }
    return frames
  })
}

function damage(frame: Buffer, random: () => number): Buffer {
  const bytes = Buffer.from(frame)
  const at = () => Math.floor(random() * bytes.length)
  switch (Math.floor(random() * 6)) {
    case 0:
      bytes[at()] = Math.floor(random() * 256)
      return bytes
    case 1:
      return bytes.subarray(0, at())
    case 2:
      return Buffer.concat([bytes, Buffer.alloc(Math.floor(random() * 40), Math.floor(random() * 256))])
    case 3:
      for (let count = 0; count < 8; count += 1) bytes[at()] = Math.floor(random() * 256)
      return bytes
    case 4: {
      const from = at()
      return Buffer.concat([bytes.subarray(0, from), Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]), bytes.subarray(from)])
    }
    default:
      bytes[1] = Math.floor(random() * 90)
      return bytes
  }
}

test(`${rounds} damaged frames: each is answered or ends its tunnel, and none reveals a name`, async () => {
  const random = randomOf(seed)
  const frames = seeds()
  const usages = new LinkUsages(defaultTunnelLimits, systemClock)
  const outcomes = { answered: 0, refused: 0 }
  for (let round = 0; round < rounds; round += 1) {
    const usage = usages.enter(linkId)
    assert.ok(usage)
    const bytes = damage(frames[round % frames.length] as Buffer, random)
    const outlet = {
      write: (chunks: Uint8Array[], _frame: unknown, done: () => void) => {
        outcomes.answered += 1
        checkAnswer(Buffer.concat(chunks), bytes)
        done()
      },
    } as unknown as Outlet
    const queue = [{ bytes, release: () => {} } as Frame]
    const session = new TunnelSession({
      fingerprint: 'f',
      rightsOf: () => ({ linkId, rights: testRights() }),
      limits: defaultTunnelLimits,
      usage: { ...usage, requests: { takeLater: () => 0 } as never },
      source,
      connection,
      outlet,
      nextFrame: async () => queue.shift(),
      onAnswer: () => {},
      signal: new AbortController().signal,
    })
    try {
      await session.serve()
    } catch (error) {
      outcomes.refused += 1
      if (!(error instanceof Violation) && !isLinkspanError(error)) throw error
    }
    assert.equal(usage.bytes.used, 0)
    assert.equal(connection.failure, undefined)
    usages.leave(linkId)
    kafka.requests.length = 0
  }
  assert.ok(outcomes.answered > 500 && outcomes.refused > 1000, JSON.stringify(outcomes))
})

/** What the request itself names may stand in the answer. */
function checkAnswer(answer: Buffer, request: Buffer): void {
  for (const text of ['secret', 'hidden', 'host-', 'rack-1']) {
    if (!request.includes(text)) assert.equal(answer.indexOf(text), -1, `"${text}" for ${request.toString('hex')}`)
  }
}

/** Mulberry32. */
function randomOf(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
