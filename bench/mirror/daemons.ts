import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Client, createClient } from '../../src/client/client.ts'
import { encodeToken, type TrustToken } from '../../src/identity/trust-token.ts'
import { unixHttp } from '../../src/transport/pinned-fetch.ts'
import { describeExit, type Process, startProcess, waitFor } from '../../test/support/process.ts'
import { ProcessMeter } from './accounting.ts'
import type { BenchKafka } from './brokers.ts'
import type { MirrorContext, MirrorRun } from './mirror-run.ts'
import { profileFlags } from './pump.ts'

const linkName = 'bench'
const group = 'readers'
const startTimeoutMs = 30_000
/** How often a daemon is asked whether its mirror has failed. */
const askIntervalMs = 2000
const failedStatuses: readonly string[] = ['FAILED', 'STOPPED']

/** One daemon at the destination, its link straight to the source's brokers. */
export async function startDirect(context: MirrorContext): Promise<MirrorRun> {
  await using stack = new AsyncDisposableStack()
  const daemon = stack.use(await startDaemon('mirror', context.destination, context))
  const { kafka } = context.source
  await daemon.client.kafka.links.create(linkName, {
    source_cluster_id: kafka.clusterId,
    configs: [{ name: 'bootstrap.servers', value: kafka.bootstrap }],
  })
  return new DaemonRun([daemon], context.topic.name, stack.move())
}

/** A daemon beside each Kafka, linked by a token that may read the one topic; data crosses the TLS tunnel. */
export async function startTunnel(context: MirrorContext): Promise<MirrorRun> {
  await using stack = new AsyncDisposableStack()
  const [source, destination] = await Promise.all([
    startDaemon('source', context.source, context),
    startDaemon('destination', context.destination, context),
  ])
  stack.use(source)
  stack.use(destination)
  const topic = `/1.0/topics/${context.topic.name}`
  const permissions = [{ entity_type: 'topic', url: topic, entitlement: 'can_read' }]
  await source.client.groups.create({ name: group, permissions })
  const { metadata } = await source.client.clusterLinks.create({ name: linkName, auth_groups: [group] })
  if (!metadata) throw new Error('the source daemon made no token')
  await destination.client.clusterLinks.create({ name: linkName, trust_token: encodeToken(metadata as TrustToken) })
  return new DaemonRun([source, destination], context.topic.name, stack.move())
}

/** `linkspand` beside one Kafka, with a state directory of this run. */
class Daemon implements AsyncDisposable {
  readonly meter: ProcessMeter
  readonly client: Client
  readonly #process: Process
  readonly #http: AsyncDisposable

  constructor(name: string, child: Process, directory: string) {
    this.#process = child
    this.meter = new ProcessMeter(name, child.pid)
    const http = unixHttp(join(directory, 'unix.socket'))
    this.#http = http
    this.client = createClient(http)
  }

  check(): void {
    const { exit } = this.#process
    if (exit) throw new Error(`the ${this.meter.name} daemon ended (${describeExit(exit)}):\n${this.#process.tail(20)}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#http[Symbol.asyncDispose]()
    await this.#process.stop({ timeoutMs: 15_000 })
  }
}

async function startDaemon(name: string, { kafka }: BenchKafka, context: MirrorContext): Promise<Daemon> {
  const { options, folder } = context
  const directory = join(folder, name)
  const main = join(import.meta.dirname, '..', '..', 'src', 'daemon', 'main.ts')
  const own = ['--state-dir', directory, '--listen', '127.0.0.1:0', '--name', name, '--log-level', 'warn']
  const args = [...profileFlags(options.profileFolder), main, ...own, '--kafka', kafka.bootstrap]
  const child = startProcess(process.execPath, args)
  const ready = join(directory, 'ready.json')
  const started = () => child.exit !== undefined || existsSync(ready)
  await waitFor(started, { timeoutMs: startTimeoutMs, what: `the start of the ${name} daemon` }).catch(
    (error: Error) => {
      throw new Error(`${error.message}:\n${child.tail(20)}`)
    },
  )
  const daemon = new Daemon(name, child, directory)
  daemon.check()
  JSON.parse(await readFile(ready, 'utf8'))
  return daemon
}

class DaemonRun implements MirrorRun {
  readonly meters: readonly ProcessMeter[]
  readonly #daemons: readonly Daemon[]
  readonly #topic: string
  readonly #stack: AsyncDisposableStack
  #askedMs = 0

  /** The last daemon is the one that writes. */
  constructor(daemons: readonly Daemon[], topic: string, stack: AsyncDisposableStack) {
    this.#daemons = daemons
    this.#topic = topic
    this.#stack = stack
    this.meters = daemons.map(({ meter }) => meter)
  }

  async begin(): Promise<void> {
    await this.#client.kafka.mirrors.create(linkName, { source_topic_name: this.#topic })
    this.#askedMs = performance.now()
  }

  async check(): Promise<void> {
    for (const daemon of this.#daemons) daemon.check()
    if (this.#askedMs === 0 || performance.now() - this.#askedMs < askIntervalMs) return
    this.#askedMs = performance.now()
    await this.verify()
  }

  async verify(): Promise<void> {
    const mirror = await this.#client.kafka.mirrors.get(linkName, this.#topic, { includeErrors: true })
    if (!failedStatuses.includes(mirror.mirror_status)) return
    const errors = mirror.mirror_state_transition_errors?.map(({ error_message }) => error_message).join('; ')
    throw new Error(`the mirror is ${mirror.mirror_status}: ${mirror.mirror_topic_error} ${errors ?? ''}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }

  get #client(): Client {
    return this.#daemons.at(-1)!.client
  }
}
