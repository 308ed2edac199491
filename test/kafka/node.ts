import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { takesConnections } from '../support/ports.ts'
import { describeExit, type Process, waitFor } from '../support/process.ts'
import type { Certificates } from './certificates.ts'
import { formatNode } from './format.ts'
import type { KafkaJars, KafkaVersion } from './jars.ts'
import { type NodePorts, nodeProperties } from './layout.ts'
import { formatProperties, type Properties } from './properties.ts'
import { type SecurityOptions, securityProperties } from './security.ts'
import { startJava } from './tools.ts'

const startTimeoutMs = 60_000
const heapMbDefault = 320

export interface NodeOptions extends SecurityOptions {
  version: KafkaVersion
  /** Added to every node's properties. */
  config?: Properties
  heapMb?: number
  /** Java's, instead of those that make short runs quick. */
  flags?: readonly string[]
}

/** One combined KRaft node: a broker and a controller in one process. */
export class KafkaNode {
  readonly nodeId: number
  readonly host = '127.0.0.1'
  /** Of the CLIENT listener itself, whatever is advertised. */
  readonly port: number
  readonly ports: NodePorts
  /** What clients learn from Metadata. */
  readonly advertised: string
  readonly folder: string
  readonly dataFolder: string
  #process: Process | undefined

  constructor(ports: NodePorts, advertised: string, folder: string) {
    this.nodeId = ports.nodeId
    this.port = ports.client
    this.ports = ports
    this.advertised = advertised
    this.folder = folder
    this.dataFolder = join(folder, 'data')
  }

  /** Changes with every start; -1 before the first. */
  get pid(): number {
    return this.#process?.pid ?? -1
  }

  get running(): boolean {
    return this.#process !== undefined && this.#process.exit === undefined
  }

  /** Kafka's own log since the last start. */
  get log(): string {
    return this.#process?.output ?? ''
  }

  async prepare(
    all: readonly NodePorts[],
    options: NodeOptions,
    made: { clusterId: string; template: string; certificates: Certificates | undefined },
  ): Promise<void> {
    await mkdir(this.#scratch, { recursive: true })
    await formatNode(this.dataFolder, { nodeId: this.nodeId, ...made })
    const place = { version: options.version, advertised: this.advertised, folder: this.dataFolder }
    const properties = {
      ...nodeProperties(this.ports, all, place),
      ...securityProperties(options, made.certificates),
      ...options.config,
    }
    await writeFile(this.#propertiesFile, formatProperties(properties))
  }

  async start(jars: KafkaJars, { heapMb = heapMbDefault, flags }: NodeOptions): Promise<void> {
    const java = { heapMb, logLevel: 'info', scratch: this.#scratch, ...(flags ? { flags } : {}) } as const
    this.#process = await startJava(jars, 'kafka.Kafka', [this.#propertiesFile], java)
  }

  /** Resolves when the node said that it has started, and takes connections. */
  async ready(): Promise<void> {
    const ended = () => this.#process?.exit
    const ready = async () => {
      if (ended()) return true
      return /Kafka Server started/.test(this.log) && (await takesConnections(this.port))
    }
    const what = `the start of Kafka node ${this.nodeId}`
    await waitFor(ready, { timeoutMs: startTimeoutMs, what }).catch((error: Error) => {
      throw new Error(`${error.message}; its last lines:\n${this.#process?.tail()}`)
    })
    const exit = ended()
    if (exit)
      throw new Error(`Kafka node ${this.nodeId} ended at its start (${describeExit(exit)}):\n${this.failure()}`)
  }

  async signal(signal: NodeJS.Signals): Promise<void> {
    this.#process?.kill(signal)
    if (signal === 'SIGKILL' || signal === 'SIGTERM') await this.#process?.waitForExit({ timeoutMs: 30_000 })
  }

  /** The lines that tell why, rather than the configuration that Kafka prints at its start. */
  failure(): string {
    const lines = this.log.split('\n')
    const first = lines.findIndex((line) => /\b(ERROR|FATAL)\b|^Exception/.test(line))
    return (first === -1 ? lines.slice(-30) : lines.slice(first, first + 30)).join('\n').trimEnd()
  }

  /** Java unpacks the libraries of compression codecs there, and a killed one leaves them. */
  get #scratch(): string {
    return join(this.folder, 'scratch')
  }

  get #propertiesFile(): string {
    return join(this.folder, 'server.properties')
  }
}
