import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { explainError } from '../base/errors.ts'
import { shortId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { openStore, type Store } from '../store/store.ts'
import { defineTable } from '../store/table.ts'
import type { HostPort } from '../transport/address.ts'
import { openCatalog } from './catalog/catalog.ts'
import { catalogTables } from './catalog/rows.ts'
import type { BrokerConfig, TopicDefaults } from './config.ts'
import { GroupCoordinator } from './groups/coordinator.ts'
import { groupTables } from './groups/rows.ts'
import { openLogs } from './log/log-directory.ts'
import type { BrokerNode } from './node.ts'
import { ProducerIds } from './producer-ids.ts'

export interface NodeOptions {
  /** Where everything is kept; made when missing, locked while it is open. */
  folder: string
  config: BrokerConfig
  topicDefaults?: TopicDefaults
  clock: Clock
  log: Log
  /** Of one that is made now; minted at the first start otherwise, and kept. */
  clusterId?: string
  /** What clients are told; asked for each time, as the port may be known only later. */
  advertised?: () => HostPort
}

export interface OpenNode extends AsyncDisposable {
  readonly node: BrokerNode
  /** Deletes what is older than it may be, and offsets that nobody uses; also done by itself now and then. */
  checkRetention(): Promise<void>
  /** Ends the work under way and closes the logs cleanly. */
  dispose(): Promise<void>
}

/** What this broker is, for good. */
interface BrokerFactsRow {
  clusterId: string
}

const brokerFactsTable = defineTable<BrokerFactsRow>('broker-facts', 1)
const factsKey = 'broker'
/** Their rows are checked before anything starts. */
const tables = [brokerFactsTable, ...catalogTables, ...groupTables]

/** Puts a broker together, without any port: for the worker, and for tests in one thread. */
export async function openNode(options: NodeOptions): Promise<OpenNode> {
  await using stack = new AsyncDisposableStack()
  const { folder, config, clock, log, topicDefaults = {} } = options
  const store = stack.use(await openStore({ directory: folder, log, tables }))
  const clusterId = await loadClusterId(store, options.clusterId)
  const { producerExpirationMs } = config
  const logs = stack.use(await openLogs({ folder: join(folder, 'logs'), clock, log, producerExpirationMs }))
  const catalog = await openCatalog({ store, logs, clock, log, config, topicDefaults })
  const groups = stack.use(new GroupCoordinator({ store, clock, log, config }))
  // A crash between the end of a topic and that of its offsets.
  await groups.forgetMissingTopics((name) => catalog.get(name) !== undefined)
  const stopFollowing = catalog.onDeleted(({ name }) => {
    groups.forgetTopic(name).catch((error: unknown) => {
      log.warn({ topic: name, reason: explainError(error) }, 'Offsets of a deleted topic were not forgotten')
    })
  })
  stack.defer(stopFollowing)
  const advertised = options.advertised ?? (() => ({ host: '127.0.0.1', port: 9092 }))
  const producerIds = new ProducerIds(store)
  const node: BrokerNode = { config, clusterId, advertised, catalog, logs, groups, producerIds, clock, log }
  const upkeep = stack.use(new Upkeep(node))
  upkeep.start()
  const owned = stack.move()
  const dispose = () => owned.disposeAsync()
  return { node, checkRetention: () => upkeep.run(), dispose, [Symbol.asyncDispose]: dispose }
}

function loadClusterId(store: Store, wanted: string | undefined): Promise<string> {
  return store.execute('load broker facts', (rows) => {
    const found = rows.get(brokerFactsTable, factsKey)
    if (found) return { changes: [], result: found.clusterId }
    const facts = { clusterId: wanted ?? newKafkaClusterId() }
    return { changes: [brokerFactsTable.put(factsKey, facts)], result: facts.clusterId }
  })
}

/** Kafka's tools take an id that begins with a dash for an option. */
function newKafkaClusterId(): string {
  for (;;) {
    const id = shortId(crypto.randomUUID())
    if (!id.startsWith('-')) return id
  }
}

/** What is due now and then; never twice at the same time. */
class Upkeep implements AsyncDisposable {
  readonly #node: BrokerNode
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

  constructor(node: BrokerNode) {
    this.#node = node
  }

  start(): void {
    const { log, config } = this.#node
    this.#timer = setInterval(() => {
      this.run().catch((error: unknown) => log.warn({ reason: explainError(error) }, 'Retention could not be checked'))
    }, config.retentionCheckIntervalMs)
    this.#timer.unref()
  }

  run(): Promise<void> {
    this.#running ??= this.#check().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#running?.catch(() => {})
  }

  async #check(): Promise<void> {
    const { logs, groups } = this.#node
    await logs.checkRetention()
    await groups.checkRetention()
  }
}
