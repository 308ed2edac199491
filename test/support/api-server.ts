import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Access } from '../../src/access/access.ts'
import { type Api, type ApiOptions, createApi } from '../../src/api/api.ts'
import type { Dialect } from '../../src/api/dialect.ts'
import { openapiDialect } from '../../src/api/openapi.ts'
import { v1Dialect } from '../../src/api/v1/dialect.ts'
import type { V1Rooms } from '../../src/api/v1/rooms.ts'
import { v1CoreRoutes } from '../../src/api/v1/routes.ts'
import type { Clock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { EventBus } from '../../src/events/bus.ts'
import type { LinkspanEvent } from '../../src/events/event.ts'
import { Operations } from '../../src/events/operations.ts'
import { Warnings } from '../../src/events/warnings.ts'
import { createIntake } from '../../src/gateway/http-intake.ts'
import { createCertificate, fingerprintOf } from '../../src/identity/certificate.ts'
import { openStore } from '../../src/store/store.ts'
import { type Caller, encodePreface } from '../../src/transport/caller.ts'
import { assertDescribed, type OpenApi, operationOf, operationsOf } from './described.ts'

export interface TestAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  body: any
  /** Of an envelope. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  metadata: any
}

export interface TestRequest {
  as?: Caller | 'admin'
  method?: string
  path: string
  body?: unknown
  headers?: Record<string, string>
}

export interface TestApi {
  api: Api
  rooms: V1Rooms
  access: Access
  clock: Clock & { nowMs: number }
  events: LinkspanEvent[]
  call: (request: TestRequest) => Promise<TestAnswer>
  /** A raw connection of a caller, to speak HTTP or worse on. */
  dial: (as: Caller | 'admin') => Promise<Socket>
  /** The administrator's socket. */
  adminPath: string
  /** A caller with a certificate that nobody knows yet. */
  stranger: () => Promise<Caller>
}

/**
 * The API behind its two listeners, as the daemon has it, without a gateway: callers are written as prefaces. Every
 * answer has to be as `/openapi.json` describes it.
 */
export async function startTestApi(
  t: TestContext,
  change: Partial<ApiOptions> = {},
  dialectsOf: (rooms: V1Rooms, api: () => Api) => Dialect[] = coreDialects,
): Promise<TestApi> {
  const directory = await mkdtemp(join(tmpdir(), 'linkspan-api-'))
  const startMs = Date.now()
  const clock = { nowMs: startMs, wallMs: () => clock.nowMs, monotonicMs: () => performance.now() }
  const store = await openStore({ directory: join(directory, 'state'), log: silentLog })
  const access = new Access({ store, clock, log: silentLog })
  const bus = new EventBus({ clock, log: silentLog })
  const operations = new Operations({ clock, log: silentLog, bus })
  const warnings = new Warnings({ store, clock, log: silentLog })
  const rooms: V1Rooms = { access, bus, operations, warnings, clock, log: silentLog, server: { ...testServer } }
  const dialects = dialectsOf(rooms, () => api)
  const onSecurityEvent = bus.security.bind(bus)
  const options = { access, clock, log: silentLog, dialects, onSecurityEvent, version: '0', ...change }
  const closeRooms = async () => {
    await operations[Symbol.asyncDispose]()
    await bus[Symbol.asyncDispose]()
    access[Symbol.dispose]()
    await store[Symbol.asyncDispose]()
    await rm(directory, { recursive: true })
  }
  const api: Api = await createApi(options).catch(async (error) => {
    await closeRooms()
    throw error
  })
  const intakePath = join(directory, 'in', 'http.socket')
  const intake = await createIntake({
    path: intakePath,
    onConnection: (socket, caller) => api.handleConnection(socket, caller),
  })
  const adminPath = join(directory, 'unix.socket')
  const admin = createServer((socket) => api.handleConnection(socket, { transport: 'unix', address: '@' }))
  await new Promise<void>((resolve) => admin.listen(adminPath, resolve))
  const events: LinkspanEvent[] = []
  const collecting = collect(bus, events)
  t.after(async () => {
    admin.close()
    await api.close()
    await intake[Symbol.asyncDispose]()
    await closeRooms()
    await collecting
  })
  const dial = (as: Caller | 'admin') => dialCaller(as === 'admin' ? adminPath : intakePath, as)
  const described = dialectsOf === coreDialects && !change.dialects ? operationsOf(api.describe() as OpenApi) : []
  const describedCall = async (request: TestRequest) => {
    const answer = await call(dial, request)
    const operation = operationOf(described, request.method ?? 'GET', request.path)
    const { status, text, headers } = answer
    if (operation) assertDescribed(operation, { status, text, contentType: headers['content-type'] ?? '' })
    return answer
  }
  return { api, rooms, access, clock, events, dial, adminPath, call: describedCall, stranger }
}

function coreDialects(rooms: V1Rooms, api: () => Api): Dialect[] {
  return [v1Dialect(v1CoreRoutes(rooms)), openapiDialect(api)]
}

const testServer: V1Rooms['server'] = {
  name: 'here',
  version: '0.0.0',
  certificatePem: () => 'PEM',
  fingerprint: () => 'f'.repeat(64),
  addresses: () => ['127.0.0.1:8443'],
  clusterId: '00000000-0000-4000-8000-000000000000',
  kafkaClusterId: () => null,
  pinnedConfig: () => ({ 'core.https_address': '127.0.0.1:8443' }),
}

async function collect(bus: EventBus, events: LinkspanEvent[]): Promise<void> {
  for await (const event of bus.subscribe()) events.push(event)
}

function dialCaller(path: string, as: Caller | 'admin'): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('error', reject)
    socket.once('connect', () => {
      if (as !== 'admin') socket.write(encodePreface(as))
      resolve(socket)
    })
  })
}

async function call(dial: TestApi['dial'], request: TestRequest): Promise<TestAnswer> {
  const { as = 'admin', method = 'GET', path, body, headers = {} } = request
  const socket = await dial(as)
  const isText = typeof body === 'string'
  const payload = body === undefined ? undefined : isText ? body : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      {
        method,
        path,
        createConnection: () => socket,
        headers: {
          host: 'linkspan.test',
          connection: 'close',
          ...(payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(payload)) }),
          ...headers,
        },
      },
      async (incoming) => {
        const text = (await incoming.setEncoding('utf8').toArray()).join('')
        const isJson = incoming.headers['content-type']?.includes('json') ?? false
        const parsed = isJson && text !== '' ? JSON.parse(text) : undefined
        const status = incoming.statusCode ?? 0
        resolve({ status, headers: incoming.headers, text, body: parsed, metadata: parsed?.metadata })
      },
    )
    outgoing.once('error', reject)
    outgoing.end(payload)
  })
}

let strangers = 0

async function stranger(): Promise<Caller> {
  strangers += 1
  const clock = { wallMs: () => Date.now(), monotonicMs: () => 0 }
  const request = { commonName: 'stranger', hostNames: [], addresses: [], clock }
  const { certificatePem } = await createCertificate(request)
  const address = `10.0.${Math.floor(strangers / 250)}.${strangers % 250}:40000`
  return { transport: 'tls', address, fingerprint: fingerprintOf(certificatePem), certificate: certificatePem }
}
