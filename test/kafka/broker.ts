import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../support/ports.ts'
import { startProxy, type TestProxy } from '../support/proxy.ts'
import { guardFolder, releaseFolder } from '../support/watchdog.ts'
import { type Certificates, makeCertificates } from './certificates.ts'
import { makeClassArchive } from './class-archive.ts'
import { formatTemplate, kafkaUuid } from './format.ts'
import { type KafkaJars, type KafkaVersion, kafkaJars } from './jars.ts'
import type { NodePorts } from './layout.ts'
import { KafkaNode, type NodeOptions } from './node.ts'
import { jaas, type Properties } from './properties.ts'
import { brokerUser, clientProperties, usersOf } from './security.ts'
import type { KafkaAddress } from './tools.ts'

/** Another process may take a port between its choice and its use. */
const startAttemptsMax = 3

export interface KafkaOptions extends NodeOptions {
  nodes?: 1 | 3
  /**
   * A proxy before every node: clients that start from `bootstrap` learn only the proxies' addresses and so stay on
   * them. `direct` goes past them.
   */
  proxied?: boolean
  /** The address under which a node's CLIENT listener is made known, instead of its own. */
  advertise?: (nodeId: number, port: number) => string
}

interface KafkaParts {
  jars: KafkaJars
  clusterId: string
  options: KafkaOptions
  certificates: Certificates | undefined
  folder: string
  nodes: KafkaNode[]
  proxies: TestProxy[]
}

/** A cluster of real Apache Kafka on 127.0.0.1, with its data in a temporary folder. */
export class Kafka implements KafkaAddress, AsyncDisposable {
  readonly version: KafkaVersion
  readonly jars: KafkaJars
  readonly clusterId: string
  readonly options: KafkaOptions
  readonly certificates: Certificates | undefined
  readonly nodes: readonly KafkaNode[]
  /** One for each node, in their order, when `proxied`. */
  readonly proxies: readonly TestProxy[]
  readonly #parts: KafkaParts

  constructor(parts: KafkaParts) {
    this.version = parts.options.version
    this.jars = parts.jars
    this.clusterId = parts.clusterId
    this.options = parts.options
    this.certificates = parts.certificates
    this.nodes = parts.nodes
    this.proxies = parts.proxies
    this.#parts = parts
  }

  /** What clients are given: the CLIENT listeners as advertised. */
  get bootstrap(): string {
    return this.nodes.map(({ advertised }) => advertised).join(',')
  }

  /** The brokers' own listeners, past any proxy: plain, or with PLAIN as `broker` when there is an authorizer. */
  get direct(): string {
    return this.nodes.map(({ ports }) => `127.0.0.1:${ports.internal}`).join(',')
  }

  /** For Java clients and `--kafka-config`, `bootstrap.servers` included. */
  config(user = 'admin'): Properties {
    return { 'bootstrap.servers': this.bootstrap, ...clientProperties(this.options, this.certificates, user) }
  }

  /** The same cluster past any proxy and with all rights, for tools and clients of the test itself. */
  get behind(): KafkaAddress {
    return { version: this.version, bootstrap: this.direct, config: () => this.#directConfig() }
  }

  /** SIGKILL unless told otherwise. A node that got SIGSTOP hangs until SIGCONT. */
  async kill(nodeId: number, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#node(nodeId).signal(signal)
  }

  /** Starts a node again with the same ports and data; one that still runs is shut down in good order first. */
  async restart(nodeId: number): Promise<void> {
    const node = this.#node(nodeId)
    if (node.running) {
      await node.signal('SIGCONT')
      await node.signal('SIGTERM')
    }
    await node.start(this.jars, this.options)
    await node.ready()
  }

  async stop(): Promise<void> {
    await endAll(this.#parts)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #directConfig(): Properties {
    const { name: username, password } = brokerUser
    const login = {
      'security.protocol': 'SASL_PLAINTEXT',
      'sasl.mechanism': 'PLAIN',
      'sasl.jaas.config': jaas('plain.PlainLoginModule', { username, password }),
    }
    const security = this.options.authorizer ? login : { 'security.protocol': 'PLAINTEXT' }
    return { 'bootstrap.servers': this.direct, ...security }
  }

  #node(nodeId: number): KafkaNode {
    const node = this.nodes.find((one) => one.nodeId === nodeId)
    if (!node) throw new Error(`the cluster has no node ${nodeId}`)
    return node
  }
}

/** Ready when every node is. */
export async function startKafka(options: KafkaOptions): Promise<Kafka> {
  const jars = await kafkaJars(options.version)
  await makeClassArchive(jars, (flags) => runOnce(jars, options.version, flags))
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryStart(jars, options)
    } catch (error) {
      const clash = /BindException|Address already in use/.test((error as Error).message)
      if (!clash || attempt === startAttemptsMax) throw error
    }
  }
}

async function runOnce(jars: KafkaJars, version: KafkaVersion, flags: string[]): Promise<void> {
  await using kafka = await tryStart(jars, { version, flags })
  await kafka.kill(1, 'SIGTERM')
}

async function tryStart(jars: KafkaJars, options: KafkaOptions): Promise<Kafka> {
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-kafka-'))
  guardFolder(folder)
  const certificates = options.tls ? await makeCertificates() : undefined
  const parts: KafkaParts = { jars, clusterId: kafkaUuid(), options, certificates, folder, nodes: [], proxies: [] }
  try {
    const ports = await choosePorts(options.nodes ?? 1)
    for (const one of ports) parts.nodes.push(await placeNode(one, parts))
    const template = await formatTemplate(jars, scramOf(options), folder)
    const made = { clusterId: parts.clusterId, template, certificates }
    for (const node of parts.nodes) await node.prepare(ports, options, made)
    for (const node of parts.nodes) await node.start(jars, options)
    await Promise.all(parts.nodes.map((node) => node.ready()))
    return new Kafka(parts)
  } catch (error) {
    await endAll(parts)
    throw error
  }
}

async function choosePorts(count: number): Promise<NodePorts[]> {
  const ports = await freePorts(count * 3)
  return Array.from({ length: count }, (_, index) => {
    const [client, internal, controller] = ports.slice(index * 3)
    return { nodeId: index + 1, client: client!, internal: internal!, controller: controller! }
  })
}

async function placeNode(ports: NodePorts, { options, folder, proxies }: KafkaParts): Promise<KafkaNode> {
  const proxy = options.proxied ? await startProxy({ host: '127.0.0.1', port: ports.client }) : undefined
  if (proxy) proxies.push(proxy)
  const own = proxy?.address ?? `127.0.0.1:${ports.client}`
  const advertised = options.advertise?.(ports.nodeId, ports.client) ?? own
  return new KafkaNode(ports, advertised, join(folder, `node-${ports.nodeId}`))
}

function scramOf(options: KafkaOptions): Parameters<typeof formatTemplate>[1] {
  const { sasl } = options
  return sasl === undefined || sasl === 'PLAIN' ? undefined : { mechanism: sasl, users: usersOf(options) }
}

/** Nodes are killed, not shut down: nobody needs their data any more. */
async function endAll({ nodes, proxies, folder }: KafkaParts): Promise<void> {
  await Promise.all(nodes.map((node) => node.signal('SIGKILL')))
  await Promise.all(proxies.map((proxy) => proxy.close()))
  await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  releaseFolder(folder)
}
