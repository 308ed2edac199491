/**
 * Records answers of real brokers as fixtures of the codec: every version of every API that the broker and we share.
 * Run by hand, `node test/kafka/record-fixtures.ts`, when APIs or versions are added.
 */
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { apiVersions } from '../../src/wire/api/18-api-versions.ts'
import { apis } from '../../src/wire/api/index.ts'
import { kafkaErrors } from '../../src/wire/errors.ts'
import { decodeResponse, encodeRequest } from '../../src/wire/frame.ts'
import type { Api, RequestInput, ResponseOf } from '../../src/wire/schema.ts'
import { waitFor } from '../support/process.ts'
import { startKafka } from './broker.ts'
import { fixtureRequests, type RecordingState } from './fixture-requests.ts'
import { type KafkaLine, kafkaVersions } from './jars.ts'
import { createTopic, produce } from './produce.ts'

const folder = join(import.meta.dirname, '../../src/wire/fixtures')

/** One connection, one request at a time: what a recording needs and no more. */
class RawConnection {
  readonly #socket: Socket
  readonly #chunks: AsyncIterator<Buffer>
  #received = Buffer.alloc(0)
  #correlationId = 0

  constructor(socket: Socket) {
    this.#socket = socket
    this.#chunks = socket[Symbol.asyncIterator]()
  }

  async ask<A extends Api>(api: A, version: number, body: RequestInput<A>): Promise<Buffer> {
    this.#correlationId += 1
    for (const chunk of encodeRequest(api, version, this.#correlationId, 'recorder', body)) this.#socket.write(chunk)
    try {
      const size = (await this.#read(4)).readInt32BE(0)
      return await this.#read(size)
    } catch (error) {
      throw new Error(`${api.name} v${version} got no answer`, { cause: error })
    }
  }

  async #read(count: number): Promise<Buffer> {
    while (this.#received.length < count) {
      const { done, value } = await this.#chunks.next()
      if (done) throw new Error('The broker closed the connection')
      this.#received = Buffer.concat([this.#received, value])
    }
    const bytes = this.#received.subarray(0, count)
    this.#received = this.#received.subarray(count)
    return bytes
  }
}

async function record(line: KafkaLine): Promise<void> {
  await using kafka = await startKafka({ version: line })
  await createTopic(kafka, 'orders', { partitions: 2 })
  const records = ['a', 'b', 'c'].map((value) => ({ key: value, value, partition: 0, timestampMs: 1_700_000_000_000 }))
  await produce(kafka, 'orders', records)
  await produce(kafka, 'orders', records, { transactionalId: 'recorder', outcome: 'abort' })

  const [host, port] = kafka.bootstrap.split(':')
  const socket = connect(Number(port), host!)
  await once(socket, 'connect')
  try {
    const frames = await recordAll(new RawConnection(socket))
    await mkdir(folder, { recursive: true })
    const lines = frames.map((frame) => JSON.stringify(frame)).join(',\n')
    await writeFile(join(folder, `answers-${kafkaVersions[line]}.json`), `[\n${lines}\n]\n`)
  } finally {
    socket.destroy()
  }
}

async function recordAll(connection: RawConnection) {
  const offered = decodeResponse(apiVersions, 0, await connection.ask(apiVersions, 0, {})).apiKeys
  const state: RecordingState = { topicId: '', batch: new Uint8Array(0) }
  const frames: { api: string; version: number; answer: string }[] = []
  const names = Object.keys(fixtureRequests)
  const ordered = apis.toSorted((left, right) => names.indexOf(left.name) - names.indexOf(right.name))
  for (const api of ordered) {
    const range = offered.find(({ apiKey }) => apiKey === api.key)
    const prepare = fixtureRequests[api.name]
    if (!prepare) throw new Error(`There is no request for ${api.name}`)
    if (!range) throw new Error(`The broker does not speak ${api.name}`)
    const last = Math.min(api.versions[1], range.maxVersion)
    for (let version = Math.max(api.versions[0], range.minVersion); version <= last; version += 1) {
      const request = prepare(version, state) as RequestInput<Api>
      const frame = await waitFor(() => askWhenReady(connection, api, version, request))
      learn(state, api.name, decodeResponse(api, version, frame))
      frames.push({ api: api.name, version, answer: frame.toString('hex') })
    }
  }
  return frames
}

/** Nothing while the group's coordinator is only being made. */
async function askWhenReady(connection: RawConnection, api: Api, version: number, request: RequestInput<Api>) {
  const frame = await connection.ask(api, version, request)
  const { COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR } = kafkaErrors
  const codes = errorCodes(decodeResponse(api, version, frame))
  const wait = [COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR] as number[]
  return codes.some((code) => wait.includes(code)) ? undefined : frame
}

function errorCodes(value: unknown): number[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return []
  return Object.entries(value).flatMap(([name, inner]) => (name === 'errorCode' ? [inner] : errorCodes(inner)))
}

/** Later requests name the topic by its id, and send a batch as it was read. */
function learn(state: RecordingState, name: string, answer: ResponseOf<Api>): void {
  if (name === 'Metadata') {
    const topics = answer.topics as { name: string; topicId: string }[]
    state.topicId = topics.find((topic) => topic.name === 'orders')?.topicId ?? state.topicId
  }
  if (name === 'Fetch' && state.batch.length === 0) {
    const [topic] = answer.responses as { partitions: { records: Uint8Array }[] }[]
    const records = Buffer.from(topic!.partitions[0]!.records)
    state.batch = records.subarray(0, 12 + records.readInt32BE(8))
  }
}

for (const line of Object.keys(kafkaVersions) as KafkaLine[]) await record(line)
