import { type Clock, systemClock } from '../../base/clock.ts'
import { type Log, silentLog } from '../../base/log.ts'
import { Reader } from '../../bytes/reader.ts'
import { Writer } from '../../bytes/writer.ts'
import type { Entitlement, EntityRef } from '../../contract/entities.ts'
import { type BatchOptions, buildBatch } from '../../records/build.ts'
import type { StoredRow } from '../../store/row-log.ts'
import { openStoreOn, type Store } from '../../store/store.ts'
import { decodeRequestBody, decodeResponseBody, encodeRequestBody, encodeResponseBody } from '../../wire/codec.ts'
import type { Api, RequestInput, ResponseOf } from '../../wire/schema.ts'
import { openCatalog } from '../catalog/catalog.ts'
import { catalogTables } from '../catalog/rows.ts'
import { TestLogs, type TestPartitionLog } from '../catalog/test-logs.ts'
import { type BrokerConfig, brokerDefaults } from '../config.ts'
import type { GroupCoordinator } from '../groups/coordinator.ts'
import type { BrokerNode } from '../node.ts'
import { ProducerIds } from '../producer-ids.ts'
import type { BrokerSession } from '../session.ts'
import type { HandlerAnswer } from './handler.ts'
import { brokerHandlers } from './index.ts'

export interface TestDisk {
  rows: Map<string, StoredRow>
  logs: Map<string, TestPartitionLog>
}

export interface TestNodeOptions {
  config?: Partial<BrokerConfig>
  topicDefaults?: Record<string, string>
  clock?: Clock
  log?: Log
  /** What a broker before has left. */
  disk?: TestDisk
}

/** A broker without ports, whose disk is memory: for what handlers make of requests. */
export interface TestNode {
  node: BrokerNode
  store: Store
  logs: TestLogs
  disk: TestDisk
  /** Fails the next change of state. */
  failStore: (times: number) => void
  log: (topic: string, partition?: number) => TestPartitionLog
}

/** Anybody who comes without a Linkspan identity. */
export const anonymous: BrokerSession = {
  principal: 'User:ANONYMOUS',
  clientHost: '/127.0.0.1',
  internal: false,
  may: () => true,
}

/** A Linkspan identity with these rights, each as `can_read orders` or, on the server, `can_create_topics`. */
export function identity(...rights: string[]): BrokerSession {
  const may = (entitlement: Entitlement, { type, name }: EntityRef) => {
    return rights.includes(type === 'server' ? entitlement : `${entitlement} ${name}`)
  }
  return { ...anonymous, principal: 'User:somebody', may }
}

export async function openTestNode(options: TestNodeOptions = {}): Promise<TestNode> {
  const { clock = systemClock, log = silentLog, topicDefaults = {} } = options
  const disk = options.disk ?? { rows: new Map(), logs: new Map() }
  const config = { ...brokerDefaults, ...options.config }
  let failures = 0
  const store = await openStoreOn(
    {
      place: 'memory',
      load: async () => [...disk.rows.values()],
      append: async (changes) => {
        if (failures > 0) {
          failures -= 1
          throw new Error('no disk')
        }
        for (const { kind, key, value } of changes) {
          if (value === null) disk.rows.delete(`${kind} ${key}`)
          else disk.rows.set(`${kind} ${key}`, { kind, key, value })
        }
      },
      [Symbol.asyncDispose]: async () => {},
    },
    { log: silentLog, tables: catalogTables },
  )
  const logs = new TestLogs(disk.logs)
  const catalog = await openCatalog({ store, logs, clock, log, config, topicDefaults })
  // No handler of this room asks for groups.
  const groups = {} as GroupCoordinator
  const advertised = () => ({ host: 'broker.example', port: 9092 })
  const producerIds = new ProducerIds(store)
  const node = {
    config,
    clusterId: 'abcdefghijklmnopqrstuv',
    advertised,
    catalog,
    logs,
    groups,
    producerIds,
    clock,
    log,
  }
  return {
    node,
    store,
    logs,
    disk,
    failStore: (times) => {
      failures = times
    },
    log: (topic, partition = 0) => logs.get(catalog.get(topic)!.topicId, partition)!,
  }
}

export interface AskOptions {
  version?: number
  session?: BrokerSession
  signal?: AbortSignal
}

/** One request through its handler, both ways in the bytes of the version (the newest unless given). */
export async function ask<A extends Api>(
  { node }: TestNode,
  api: A,
  request: RequestInput<A>,
  options: AskOptions = {},
): Promise<ResponseOf<A>> {
  const made = await handle(node, api, request, options)
  if (made.kind === 'none') throw new Error(`${api.name} was not answered`)
  const writer = new Writer()
  encodeResponseBody(api, options.version ?? newest(api), made.body, writer)
  const response = decodeResponseBody(api, options.version ?? newest(api), new Reader(writer.toBuffer()))
  made.release?.()
  return response
}

/** As `ask`, without making the answer's bytes. */
export async function handle<A extends Api>(
  node: BrokerNode,
  api: A,
  request: RequestInput<A>,
  { version = newest(api), session = anonymous, signal = new AbortController().signal }: AskOptions = {},
): Promise<HandlerAnswer<A>> {
  const writer = new Writer()
  encodeRequestBody(api, version, request, writer)
  const body = decodeRequestBody(api, version, new Reader(writer.toBuffer()))
  const context = { node, session, version, clientId: 'test', signal }
  return (await brokerHandlers.get(api.key)!.handle(body as never, context)) as HandlerAnswer<A>
}

function newest(api: Api): number {
  return brokerHandlers.get(api.key)!.versions[1]
}

/** A batch of `count` records, about `bytes` long. */
export function batchOf(
  count: number,
  { bytes = 0, timestampMs = 1000, ...options }: BatchOptions & { bytes?: number; timestampMs?: number } = {},
): Buffer {
  const value = Buffer.alloc(Math.ceil(bytes / count))
  const records = Array.from({ length: count }, (_, index) => ({ timestampMs: timestampMs + index, key: null, value }))
  return buildBatch(records, options)
}

export async function makeTopic(
  test: TestNode,
  name: string,
  {
    partitions = 1,
    configs = {},
    internal = false,
  }: { partitions?: number; configs?: object; internal?: boolean } = {},
): Promise<string> {
  const entries = Object.entries(configs).map(([key, value]) => ({ name: key, value: String(value) }))
  const wanted = { name, partitions, replicationFactor: 1, configs: entries }
  const [outcome] = await test.node.catalog.create([wanted], { internal })
  if (!outcome?.ok) throw new Error(outcome?.message)
  return outcome.value.topicId
}
