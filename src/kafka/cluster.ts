import { Backoff } from '../base/backoff.ts'
import { LinkspanError } from '../base/errors.ts'
import type { DialTarget } from '../transport/dialler.ts'
import { metadata } from '../wire/api/03-metadata.ts'
import { kafkaErrors } from '../wire/errors.ts'
import type { Api, RequestInput, ResponseOf } from '../wire/schema.ts'
import {
  attemptDefaultMs,
  type CallOptions,
  type ClusterRequestOptions,
  type DedicatedOptions,
  type DialledClusterOptions,
  deadlineDefaultMs,
  type Leader,
  type Route,
} from './cluster-options.ts'
import type { KafkaConnection } from './connection.ts'
import { openTimeoutDefaultMs } from './connection-options.ts'
import { Coordinators } from './coordinators.ts'
import { Deadline } from './deadline.ts'
import { kafkaFailure } from './failure.ts'
import { MetadataCache, type TopicMetadata } from './metadata-cache.ts'
import { Nodes } from './nodes.ts'
import { openConnection } from './open-connection.ts'
import { Refresher } from './refresher.ts'
import { isConnectionFailure, type RetryStep, retryStep } from './retry.ts'

const retry = { initialMs: 50, maxMs: 1000 }

/** One Kafka cluster: who leads what, a connection per broker, requests that find their way and are retried. */
export class KafkaCluster implements AsyncDisposable {
  readonly clientId: string
  readonly #options: DialledClusterOptions
  readonly #nodes: Nodes
  readonly #cache = new MetadataCache()
  readonly #coordinators: Coordinators
  readonly #refresher: Refresher
  readonly #closing = new AbortController()

  constructor(options: DialledClusterOptions) {
    this.clientId = options.clientId
    this.#options = options
    this.#nodes = new Nodes((target) => this.#openShared(target), options.clock)
    this.#coordinators = new Coordinators((deadline) => this.#any(deadline))
    this.#refresher = new Refresher((names) => this.#fetchMetadata(names))
  }

  /** Every call with an own time limit starts here; none goes on when the client is closed. */
  deadline(options: CallOptions = {}): Deadline {
    const timeoutMs = options.deadlineMs ?? this.#options.deadlineMs ?? deadlineDefaultMs
    const { signal: closing } = this.#closing
    const signal = options.signal ? AbortSignal.any([options.signal, closing]) : closing
    return new Deadline(this.#options.clock, timeoutMs, signal)
  }

  /** What the newest metadata answers said; `refresh` fills it. */
  get cache(): MetadataCache {
    return this.#cache
  }

  /** Kafka's cluster id; asks for it when no broker was asked yet. */
  async clusterId(options: CallOptions = {}): Promise<string> {
    if (this.#cache.clusterId === undefined) await this.refresh([], options)
    if (this.#cache.clusterId !== undefined) return this.#cache.clusterId
    throw new LinkspanError('unsupported', 'The broker does not tell the id of its Kafka cluster')
  }

  /** Asks for metadata of these topics, of all, or of brokers alone (`[]`). Calls that overlap share a request. */
  async refresh(topics: readonly string[] | 'all', options: CallOptions | Deadline = {}): Promise<void> {
    const deadline = options instanceof Deadline ? options : this.deadline(options)
    const backoff = new Backoff(retry)
    for (;;) {
      try {
        return await deadline.of(this.#refresher.refresh(topics))
      } catch (error) {
        if (!isConnectionFailure(error) || this.#closing.signal.aborted) throw error
        await deadline.pause(backoff.nextMs(), error as Error)
      }
    }
  }

  /** A topic, asked for when the cache lacks it. Errors: `kafka-unknown-topic`, `kafka-not-permitted`. */
  async topic(name: string, options: CallOptions | Deadline = {}): Promise<TopicMetadata> {
    const known = this.#cache.topic(name)
    if (known) return known
    const deadline = options instanceof Deadline ? options : this.deadline(options)
    await this.refresh([name], deadline)
    const topic = this.#cache.topic(name)
    if (topic) return topic
    const code = this.#cache.topicError(name) || kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
    throw kafkaFailure(code, { operation: 'read metadata of', resource: `topic ${name}` })
  }

  /** Waits for an election when there is no leader. Errors: `kafka-unknown-topic`, `kafka-retriable` (still none). */
  async leader(topic: string, partition: number, options: CallOptions | Deadline = {}): Promise<Leader> {
    const deadline = options instanceof Deadline ? options : this.deadline(options)
    const backoff = new Backoff(retry)
    for (;;) {
      const found = (await this.topic(topic, deadline)).partitions[partition]
      const context = { operation: 'find the leader of', resource: `partition ${topic}-${partition}` }
      if (!found) throw kafkaFailure(kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, context)
      if (found.leader >= 0) return { nodeId: found.leader, leaderEpoch: found.leaderEpoch }
      await deadline.pause(backoff.nextMs(), kafkaFailure(kafkaErrors.LEADER_NOT_AVAILABLE, context))
      await this.refresh([topic], deadline)
    }
  }

  /** The node that coordinates a consumer group. */
  async coordinator(group: string, options: CallOptions | Deadline = {}): Promise<number> {
    const deadline = options instanceof Deadline ? options : this.deadline(options)
    const backoff = new Backoff(retry)
    for (;;) {
      const { nodes, failed } = await this.coordinators([group], deadline)
      for (const nodeId of nodes.keys()) return nodeId
      const { errorCode = kafkaErrors.COORDINATOR_NOT_AVAILABLE, message = null } = failed[0] ?? {}
      const failure = kafkaFailure(errorCode, {
        operation: 'find the coordinator of',
        resource: `group ${group}`,
        message,
      })
      if (retryStep(errorCode) === 'none') throw failure
      await deadline.pause(backoff.nextMs(), failure)
    }
  }

  /** Groups by the node that coordinates them, and those for which Kafka names none, with its code. */
  async coordinators(groups: readonly string[], deadline: Deadline) {
    const located = await this.#coordinators.locate(groups, deadline)
    if ([...located.nodes.keys()].some((nodeId) => !this.#cache.hasBroker(nodeId))) await this.refresh([], deadline)
    return located
  }

  forgetCoordinators(groups: readonly string[]): void {
    this.#coordinators.forget(groups)
  }

  /** The shared connection to the broker that a route names. */
  async connection(route: Route, options: CallOptions | Deadline = {}): Promise<KafkaConnection> {
    const deadline = options instanceof Deadline ? options : this.deadline(options)
    switch (route.to) {
      case 'any':
        return await this.#any(deadline)
      case 'controller':
        return await this.#controller(deadline)
      case 'node':
        return await this.#node(route.nodeId, deadline)
      case 'leader':
        return await this.#node((await this.leader(route.topic, route.partition, deadline)).nodeId, deadline)
      case 'coordinator':
        return await this.#node(await this.coordinator(route.group, deadline), deadline)
    }
  }

  /** A connection of the caller's own, which he closes: fetch and produce lanes with their own slabs. No retry. */
  async dedicate(nodeId: number, options: DedicatedOptions = {}): Promise<KafkaConnection> {
    if (!this.#cache.hasBroker(nodeId)) await this.refresh([], options.signal ? { signal: options.signal } : {})
    const { signal } = this.#closing
    const both = options.signal ? AbortSignal.any([signal, options.signal]) : signal
    return await this.#open({ kind: 'node', nodeId }, { ...options, signal: both })
  }

  /**
   * Sends a request and repeats it while its error says that this helps, until the deadline. An error that does not is
   * left in the answer. Errors: the last one when time runs out; `unsupported`; the signal's.
   */
  async request<A extends Api>(
    route: Route,
    api: A,
    body: RequestInput<A>,
    options: ClusterRequestOptions<A> = {},
  ): Promise<ResponseOf<A>> {
    const deadline = this.deadline(options)
    const backoff = new Backoff(retry)
    for (;;) {
      let failure: LinkspanError
      let step: RetryStep
      try {
        const connection = await this.connection(route, deadline)
        const { version, versionMax, signal } = options
        const attempt = { version, versionMax, signal }
        const answer = await deadline.of(connection.request(api, body, attempt))
        const code = options.errorOf ? options.errorOf(answer) : topErrorOf(answer)
        step = code === 0 ? 'none' : retryStep(code)
        if (step === 'none') return answer
        failure = kafkaFailure(code, { operation: `send ${api.name} to`, resource: describeRoute(route) })
      } catch (error) {
        if (!isConnectionFailure(error) || this.#closing.signal.aborted) throw error
        failure = error as LinkspanError
        step = 'leaders'
      }
      await deadline.pause(backoff.nextMs(), failure)
      await this.#prepare(step, route, deadline)
    }
  }

  /** How long one attempt may take. */
  get attemptMs(): number {
    return this.#options.attemptMs ?? attemptDefaultMs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new LinkspanError('closed', 'The Kafka client was closed'))
    await this.#nodes[Symbol.asyncDispose]()
    await this.#options.dialler[Symbol.asyncDispose]()
  }

  async #prepare(step: RetryStep, route: Route, deadline: Deadline): Promise<void> {
    if (route.to === 'coordinator' && step !== 'wait') this.forgetCoordinators([route.group])
    if (step === 'leaders') await this.refresh(route.to === 'leader' ? [route.topic] : [], deadline)
  }

  async #node(nodeId: number, deadline: Deadline): Promise<KafkaConnection> {
    const target: DialTarget = { kind: 'node', nodeId }
    const live = this.#nodes.live(target)
    if (live) return live
    if (!this.#cache.hasBroker(nodeId)) await this.refresh([], deadline)
    return await this.#nodes.get(target, deadline)
  }

  /** KRaft brokers pass what is the controller's on to it, so the broker that metadata names is only a good guess. */
  async #controller(deadline: Deadline): Promise<KafkaConnection> {
    const { controllerId } = this.#cache
    const target: DialTarget = { kind: 'node', nodeId: controllerId }
    if (!this.#cache.hasBroker(controllerId) || this.#nodes.rests(target)) return await this.#any(deadline)
    return await this.#nodes.get(target, deadline)
  }

  /** An open connection if there is one; else a known broker that did not fail just now; else a bootstrap server. */
  async #any(deadline: Deadline): Promise<KafkaConnection> {
    const bootstrap: DialTarget = { kind: 'bootstrap' }
    const brokers = this.#cache.brokers.map(({ nodeId }): DialTarget => ({ kind: 'node', nodeId }))
    for (const target of [bootstrap, ...brokers]) {
      const live = this.#nodes.live(target)
      if (live) return live
    }
    const first = Math.floor(Math.random() * brokers.length)
    const candidates = [...brokers.slice(first), ...brokers.slice(0, first)]
    const fresh = candidates.find((target) => !this.#nodes.rests(target))
    return await this.#nodes.get(fresh ?? bootstrap, deadline)
  }

  /** A broker that does not answer within one attempt is taken for dead: its connection is closed for all. */
  async #openShared(target: DialTarget): Promise<KafkaConnection> {
    const openTimeoutMs = Math.min(this.attemptMs, openTimeoutDefaultMs)
    return await this.#open(target, { requestTimeoutMs: this.attemptMs, openTimeoutMs })
  }

  async #open(target: DialTarget, options: DedicatedOptions & { openTimeoutMs?: number }): Promise<KafkaConnection> {
    const { dialler, clientId, sasl, log, clock } = this.#options
    const signal = options.signal ?? this.#closing.signal
    return await openConnection(dialler, target, { ...options, clientId, sasl, log, clock, signal })
  }

  async #fetchMetadata(names: readonly string[] | 'all'): Promise<void> {
    const deadline = this.deadline()
    const connection = await this.#any(deadline)
    const topics = names === 'all' ? null : names.map((name) => ({ name }))
    const body = { topics, allowAutoTopicCreation: false }
    const answer = await connection.request(metadata, body)
    if (answer.errorCode !== 0) {
      connection.close()
      throw kafkaFailure(answer.errorCode, { operation: 'read metadata of', resource: 'the cluster' })
    }
    this.#checkClusterId(answer.clusterId)
    this.#options.dialler.learn(answer.brokers)
    this.#nodes.learn(answer.brokers)
    this.#cache.apply(answer, names === 'all')
  }

  #checkClusterId(found: string | null): void {
    const expected = this.#options.clusterId ?? this.#cache.clusterId
    if (expected === undefined || found === null || found === expected) return
    throw new LinkspanError(
      'precondition-failed',
      `The bootstrap servers belong to Kafka cluster ${found}, not to ${expected}: another took their place`,
      { details: { expected, found } },
    )
  }
}

function topErrorOf(answer: object): number {
  const { errorCode } = answer as { errorCode?: unknown }
  return typeof errorCode === 'number' ? errorCode : 0
}

function describeRoute(route: Route): string {
  switch (route.to) {
    case 'node':
      return `node ${route.nodeId}`
    case 'leader':
      return `partition ${route.topic}-${route.partition}`
    case 'coordinator':
      return `group ${route.group}`
    default:
      return 'the cluster'
  }
}
