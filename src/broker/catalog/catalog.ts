import type { Clock } from '../../base/clock.ts'
import { explainError } from '../../base/errors.ts'
import { shortId } from '../../base/ids.ts'
import type { Log } from '../../base/log.ts'
import type { RowChange } from '../../store/row-log.ts'
import type { Store } from '../../store/store.ts'
import type { BrokerConfig } from '../config.ts'
import type { LogConfig, Logs } from '../log/types.ts'
import { type CreationFacts, type JudgedTopic, judgeNewTopic, type NewTopic } from './creation.ts'
import { checkTopicDefaults, type DescribedConfig, describeBroker, describeTopic } from './described-configs.ts'
import type { TopicSettings } from './edits.ts'
import { judgeGrowth, type WantedGrowth } from './growth.ts'
import { collisionKey } from './names.ts'
import { done, type Outcome, refused } from './outcome.ts'
import { finishIntents } from './recovery.ts'
import { type TopicRow, topicTable } from './rows.ts'
import { logConfigOf, topicConfigKeys } from './topic-configs.ts'
import { deleteLogs, openTopicLogs } from './topic-logs.ts'
import { TopicSet } from './topic-set.ts'
import { Turns } from './turns.ts'
import type { Catalog as CatalogView, Topic } from './types.ts'

export interface CatalogOptions {
  store: Store
  logs: Logs
  clock: Clock
  log: Log
  config: BrokerConfig
  /** What the operator has set for all topics, by the names of topic configs. */
  topicDefaults?: Readonly<Record<string, string>>
}

/** Each partition has files of its own, open all the time. */
const partitionsPerTopicMax = 2000
const partitionsMax = 10_000

/**
 * Finishes or undoes what a crash has left half done, and opens the logs of all topics. Throws `invalid-config` for
 * defaults that cannot be, and what store and logs throw.
 */
export async function openCatalog(options: CatalogOptions): Promise<Catalog> {
  const { store, logs, log } = options
  const defaults = checkTopicDefaults(options.topicDefaults ?? {})
  const topics = new TopicSet()
  const catalog = new Catalog(options, defaults, topics)
  await finishIntents(store, logs, log)
  for (const { key, row } of store.rows.list(topicTable)) topics.put(topicOf(key, row))
  await openTopicLogs(logs, topics.list(), (topic) => catalog.logConfig(topic))
  await catalog.confirmGrowth()
  return catalog
}

function topicOf(topicId: string, row: TopicRow): Topic {
  const { name, growingTo, configs, mirrorId } = row
  return { topicId, name, partitions: growingTo ?? row.partitions, configs, mirrorId }
}

function rowOf(topic: Topic, changed: Partial<TopicRow> = {}): TopicRow {
  const { name, partitions, configs, mirrorId } = topic
  return { state: 'ready', name, partitions, growingTo: null, configs: { ...configs }, mirrorId, ...changed }
}

/** Topics and their configs. Changes are made one after another, judged by what those before have made. */
export class Catalog implements CatalogView {
  readonly defaults: Readonly<Record<string, string>>
  readonly #options: CatalogOptions
  readonly #topics: TopicSet
  readonly #turns = new Turns()
  readonly #listeners = new Set<(topic: Topic) => void>()

  constructor(options: CatalogOptions, defaults: Readonly<Record<string, string>>, topics: TopicSet) {
    this.#options = options
    this.defaults = defaults
    this.#topics = topics
  }

  list(): readonly Topic[] {
    return this.#topics.list()
  }

  get(name: string): Topic | undefined {
    return this.#topics.get(name)
  }

  byId(topicId: string): Topic | undefined {
    return this.#topics.byId(topicId)
  }

  logConfig({ configs }: Pick<Topic, 'configs'>): LogConfig {
    return logConfigOf((name) => configs[name] ?? this.defaults[name] ?? topicConfigKeys[name]!.default)
  }

  describe({ configs }: Pick<Topic, 'configs'>): DescribedConfig[] {
    return describeTopic(configs, this.defaults)
  }

  describeBroker(): DescribedConfig[] {
    return describeBroker(this.#options.config, this.defaults)
  }

  onDeleted(listener: (topic: Topic) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Makes topics, each for itself; with `validateOnly` none is made, and what would be has no id. */
  create(wanted: readonly NewTopic[], { internal = false, validateOnly = false } = {}): Promise<Outcome<Topic>[]> {
    return this.#turns.run(async () => {
      const judged = this.#judge(wanted, internal)
      if (validateOnly) return judged.map((one) => (one.ok ? done({ topicId: '', ...one.value }) : one))
      const topics = judged.map((one) => (one.ok ? { topicId: newTopicId(), ...one.value } : undefined))
      const made = await this.#make(topics.filter((topic) => topic !== undefined))
      return judged.map((one, index) => (one.ok ? made.get(topics[index]!)! : one))
    }, wanted.length)
  }

  /** What a request names together is judged as if one came after the other. */
  #judge(wanted: readonly NewTopic[], internal: boolean): Outcome<JudgedTopic>[] {
    const { config } = this.#options
    const names = new Map<string, string>()
    const facts: CreationFacts = {
      nodeId: config.nodeId,
      partitionsDefault: config.numPartitions,
      partitionsMax: partitionsPerTopicMax,
      partitionsLeft: partitionsMax - this.#topics.partitions,
      internal,
      exists: (name) => this.#topics.get(name) !== undefined || names.get(collisionKey(name)) === name,
      colliding: (name) => this.#topics.colliding(name) ?? names.get(collisionKey(name)),
    }
    return wanted.map((one) => {
      const judged = judgeNewTopic(one, facts)
      if (judged.ok) {
        facts.partitionsLeft -= judged.value.partitions
        names.set(collisionKey(one.name), one.name)
      }
      return judged
    })
  }

  async #make(topics: readonly Topic[]): Promise<Map<Topic, Outcome<Topic>>> {
    const outcomes = new Map<Topic, Outcome<Topic>>()
    const stored = await this.#store('create topics', topics, (topic) => {
      return topicTable.put(topic.topicId, rowOf(topic, { state: 'creating' }))
    })
    if (!stored.ok) return new Map(topics.map((topic) => [topic, stored]))
    const opened = await Promise.all(topics.map((topic) => this.#openLogs(topic)))
    const ready = topics.filter((_, index) => opened[index]!.ok)
    const confirmed = await this.#store('topics created', ready, (topic) => topicTable.put(topic.topicId, rowOf(topic)))
    for (const [index, topic] of topics.entries()) {
      const outcome = opened[index]!.ok && !confirmed.ok ? confirmed : opened[index]!
      outcomes.set(topic, outcome)
      if (outcome.ok) this.#topics.put(topic)
    }
    const failed = topics.filter((topic) => !outcomes.get(topic)!.ok)
    if (failed.length > 0) await this.#forget(failed)
    return outcomes
  }

  async #openLogs(topic: Topic): Promise<Outcome<Topic>> {
    try {
      await openTopicLogs(this.#options.logs, [topic], () => this.logConfig(topic))
      return done(topic)
    } catch (error) {
      return this.#failed(`The logs of topic ${topic.name} could not be made`, error)
    }
  }

  /** Takes topics away for good; one that is not there is answered as Kafka does. */
  delete(topicIds: readonly string[]): Promise<Outcome<Topic>[]> {
    return this.#turns.run(async () => {
      const topics = topicIds.map((topicId) => this.#topics.byId(topicId))
      const found = topics.filter((topic) => topic !== undefined)
      const stored = await this.#store('delete topics', found, (topic) => {
        return topicTable.put(topic.topicId, rowOf(topic, { state: 'deleting' }))
      })
      if (stored.ok) await this.#forget(found)
      return topics.map((topic) => {
        if (!topic) return refused('UNKNOWN_TOPIC_ID', 'This server does not host this topic ID.')
        return stored.ok ? done(topic) : stored
      })
    }, topicIds.length)
  }

  /** Their rows are intents by now: what fails here, the next start does. */
  async #forget(topics: readonly Topic[]): Promise<void> {
    for (const topic of topics) {
      if (this.#topics.byId(topic.topicId)) {
        this.#topics.remove(topic)
        for (const listener of this.#listeners) listener(topic)
      }
    }
    const gone: Topic[] = []
    for (const topic of topics) if (await this.#dropLogs(topic, 0)) gone.push(topic)
    await this.#store('topics deleted', gone, (topic) => topicTable.remove(topic.topicId))
  }

  /** From a partition on; false when some are still there. */
  async #dropLogs({ topicId, name, partitions }: Topic, from: number): Promise<boolean> {
    const { logs, log } = this.#options
    try {
      await deleteLogs(logs, topicId, { from, to: partitions })
      return true
    } catch (error) {
      log.error({ err: error, topic: name }, 'Logs could not be deleted')
      return false
    }
  }

  /** Adds partitions. */
  grow(wanted: WantedGrowth, { validateOnly = false } = {}): Promise<Outcome<Topic>> {
    return this.#turnFor(async () => {
      const facts = {
        nodeId: this.#options.config.nodeId,
        partitionsMax: partitionsPerTopicMax,
        partitionsLeft: partitionsMax - this.#topics.partitions,
      }
      const before = this.#topics.get(wanted.name)
      const judged = judgeGrowth(before, wanted, facts)
      if (!judged.ok || validateOnly) return judged
      const grown = judged.value
      const begun = await this.#store('add partitions', [grown], () => {
        const { partitions } = before as Topic
        return topicTable.put(grown.topicId, rowOf(grown, { partitions, growingTo: grown.partitions }))
      })
      if (!begun.ok) return begun
      const opened = await this.#openLogs(grown)
      if (!opened.ok) await this.#dropLogs(grown, (before as Topic).partitions)
      const row = rowOf(opened.ok ? grown : (before as Topic))
      const ended = await this.#store('partitions added', [grown], () => topicTable.put(grown.topicId, row))
      if (!opened.ok) return opened
      if (ended.ok) this.#topics.put(grown)
      return ended.ok ? done(grown) : ended
    })
  }

  /** Of topics whose growth a crash has interrupted, when their logs are there. */
  async confirmGrowth(): Promise<void> {
    const rows = this.#options.store.rows.list(topicTable)
    const growing = rows.filter(({ row }) => row.growingTo !== null).map(({ key }) => this.#topics.byId(key)!)
    const changes = growing.map((topic) => topicTable.put(topic.topicId, rowOf(topic)))
    await this.#options.store.execute('partitions added', () => ({ changes, result: undefined }))
  }

  /** Changes what is set on a topic; `edit` makes the new settings of those that it has by then. */
  alter(
    name: string,
    edit: (topic: Topic) => Outcome<TopicSettings>,
    { validateOnly = false } = {},
  ): Promise<Outcome<Topic>> {
    return this.#turnFor(async () => {
      const before = this.#topics.get(name)
      if (!before) return refused('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${name}' does not exist.`)
      const settings = edit(before)
      if (!settings.ok) return settings
      const topic = { ...before, ...settings.value }
      if (validateOnly) return done(topic)
      const stored = await this.#store('set topic configs', [topic], () => topicTable.put(topic.topicId, rowOf(topic)))
      if (!stored.ok) return stored
      this.#topics.put(topic)
      const config = this.logConfig(topic)
      for (let partition = 0; partition < topic.partitions; partition += 1) {
        this.#options.logs.get(topic.topicId, partition)?.configure(config)
      }
      return done(topic)
    })
  }

  async #turnFor(work: () => Promise<Outcome<Topic>>): Promise<Outcome<Topic>> {
    const [outcome] = await this.#turns.run(async () => [await work()], 1)
    return outcome as Outcome<Topic>
  }

  /** One change for each of the topics, all or none. */
  async #store(name: string, topics: readonly Topic[], changeOf: (topic: Topic) => RowChange): Promise<Outcome<true>> {
    if (topics.length === 0) return done(true)
    try {
      await this.#options.store.execute(name, () => ({ changes: topics.map(changeOf), result: undefined }))
      return done(true)
    } catch (error) {
      return this.#failed('The change could not be stored', error)
    }
  }

  #failed(what: string, error: unknown): Outcome<never> {
    this.#options.log.error({ err: error }, what)
    return refused('KAFKA_STORAGE_ERROR', `${what}: ${explainError(error)}`)
  }
}

/** Kafka's tools take an id that begins with a dash for an option. */
function newTopicId(): string {
  for (;;) {
    const topicId = crypto.randomUUID()
    if (!shortId(topicId).startsWith('-')) return topicId
  }
}
