import { type Kafka, startKafka } from '../test/kafka/broker.ts'
import { type Daemon, startDaemon } from '../test/support/daemon.ts'

/** One Kafka and the daemon that fronts it. */
export class Site implements AsyncDisposable {
  readonly name: string
  readonly kafka: Kafka
  readonly #daemon: Daemon

  constructor(name: string, kafka: Kafka, daemon: Daemon) {
    this.name = name
    this.kafka = kafka
    this.#daemon = daemon
  }

  get https(): string {
    return this.#daemon.ready.https
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
    await Promise.all([
      this.#daemon.kill('SIGKILL'),
      ...this.kafka.nodes.map(({ nodeId }) => this.kafka.kill(nodeId, 'SIGKILL')),
    ])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon[Symbol.asyncDispose]()
    await this.kafka[Symbol.asyncDispose]()
  }
}

export async function startSite(name: string): Promise<Site> {
  const kafka = await startKafka({ version: '4' })
  try {
    return new Site(name, kafka, await startDaemon({ name, kafka: kafka.bootstrap }))
  } catch (error) {
    await kafka[Symbol.asyncDispose]()
    throw error
  }
}
