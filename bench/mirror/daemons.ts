import { join } from 'node:path'
import type { Client } from '../../src/client/client.ts'
import { encodeToken, type TrustToken } from '../../src/identity/trust-token.ts'
import { type Daemon, startDaemon } from '../../test/support/daemon.ts'
import { describeExit } from '../../test/support/process.ts'
import { ProcessMeter } from './accounting.ts'
import type { BenchKafka } from './brokers.ts'
import type { MirrorContext, MirrorRun } from './mirror-run.ts'
import { profileFlags } from './pump.ts'

const linkName = 'bench'
const type = 'bidirectional'
const group = 'readers'
const startTimeoutMs = 30_000
/** How often a daemon is asked whether its mirror has failed. */
const askIntervalMs = 2000
const failedStatuses: readonly string[] = ['FAILED', 'STOPPED']

/** One daemon at the destination, its link straight to the source's brokers. */
export async function startDirect(context: MirrorContext): Promise<MirrorRun> {
  await using stack = new AsyncDisposableStack()
  const daemon = stack.use(await startBeside('mirror', context.destination, context))
  const { kafka } = context.source
  await daemon.client.kafka.links.create(linkName, {
    source_cluster_id: kafka.clusterId,
    configs: [{ name: 'bootstrap.servers', value: kafka.bootstrap }],
  })
  return new DaemonRun({ mirror: daemon }, context.topic.name, stack.move())
}

/** A daemon beside each Kafka, linked by a token that may read the one topic; data crosses the TLS tunnel. */
export async function startTunnel(context: MirrorContext): Promise<MirrorRun> {
  await using stack = new AsyncDisposableStack()
  const [source, destination] = await Promise.all([
    startBeside('source', context.source, context),
    startBeside('destination', context.destination, context),
  ])
  stack.use(source)
  stack.use(destination)
  const topic = `/1.0/topics/${context.topic.name}`
  const permissions = [{ entity_type: 'topic', url: topic, entitlement: 'can_read' }]
  await source.client.groups.create({ name: group, permissions })
  const { metadata } = await source.client.clusterLinks.create({ name: linkName, type, auth_groups: [group] })
  if (!metadata) throw new Error('the source daemon made no token')
  await destination.client.clusterLinks.create({
    name: linkName,
    type,
    trust_token: encodeToken(metadata as TrustToken),
  })
  return new DaemonRun({ source, destination }, context.topic.name, stack.move())
}

/** `linkspand` beside one Kafka, with a state directory of this run. */
function startBeside(name: string, { kafka }: BenchKafka, { folder, options }: MirrorContext): Promise<Daemon> {
  return startDaemon({
    name,
    kafka: kafka.bootstrap,
    stateDir: join(folder, name),
    args: ['--log-level', 'warn'],
    env: { NODE_OPTIONS: profileFlags(options.profileFolder).join(' ') },
    timeoutMs: startTimeoutMs,
  })
}

class DaemonRun implements MirrorRun {
  readonly meters: readonly ProcessMeter[]
  readonly #daemons: readonly (readonly [name: string, daemon: Daemon])[]
  readonly #topic: string
  readonly #stack: AsyncDisposableStack
  #askedMs = 0

  /** The last daemon is the one that writes. */
  constructor(daemons: Record<string, Daemon>, topic: string, stack: AsyncDisposableStack) {
    this.#daemons = Object.entries(daemons)
    this.#topic = topic
    this.#stack = stack
    this.meters = this.#daemons.map(([name, daemon]) => new ProcessMeter(name, daemon.process.pid))
  }

  async begin(): Promise<void> {
    await this.#client.kafka.mirrors.create(linkName, { source_topic_name: this.#topic })
    this.#askedMs = performance.now()
  }

  async check(): Promise<void> {
    for (const [name, { process }] of this.#daemons) {
      if (process.exit)
        throw new Error(`the ${name} daemon ended (${describeExit(process.exit)}):\n${process.tail(20)}`)
    }
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
    return this.#daemons.at(-1)![1].client
  }
}
