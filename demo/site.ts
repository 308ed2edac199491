import { type Kafka, startKafka } from '../test/kafka/broker.ts'
import { type KafkaAddress, plainAddress } from '../test/kafka/tools.ts'
import { type Daemon, embeddedBroker, startDaemon } from '../test/support/daemon.ts'

/** What a site's daemon fronts: the broker that it brings itself, or an unmodified Apache Kafka. */
export type BrokerKind = typeof embeddedBroker | 'apache'

/** One daemon and the Kafka that it fronts. */
export class Site implements AsyncDisposable {
  readonly name: string
  readonly kafka: KafkaAddress
  readonly #daemon: Daemon
  readonly #apache: Kafka | undefined

  constructor(name: string, daemon: Daemon, apache: Kafka | undefined) {
    this.name = name
    this.kafka = apache ?? plainAddress('4', daemon.ready.kafka)
    this.#daemon = daemon
    this.#apache = apache
  }

  get https(): string {
    return this.#daemon.ready.https
  }

  /** For people. */
  get broker(): string {
    return this.#apache ? `Apache Kafka ${this.#apache.jars.version}` : "the daemon's own broker"
  }

  get stateDir(): string {
    return this.#daemon.stateDir
  }

  get client(): Daemon['client'] {
    return this.#daemon.client
  }

  cli(words: string[]): ReturnType<Daemon['cli']> {
    return this.#daemon.cli(words)
  }

  /** What failover day looks like: no warning, no clean end. */
  async kill(): Promise<void> {
    const nodes = this.#apache?.nodes ?? []
    await Promise.all([
      this.#daemon.kill('SIGKILL'),
      ...nodes.map(({ nodeId }) => this.#apache?.kill(nodeId, 'SIGKILL')),
    ])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]()
    await this.#apache?.[Symbol.asyncDispose]()
  }
}

export async function startSite(name: string, kind: BrokerKind): Promise<Site> {
  if (kind === embeddedBroker) return new Site(name, await startDaemon({ name, kafka: embeddedBroker }), undefined)
  const kafka = await startKafka({ version: '4' })
  try {
    return new Site(name, await startDaemon({ name, kafka: kafka.bootstrap }), kafka)
  } catch (error) {
    await kafka[Symbol.asyncDispose]()
    throw error
  }
}
