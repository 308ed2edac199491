import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { kafkaJars } from '../../test/kafka/jars.ts'
import { formatProperties, type Properties } from '../../test/kafka/properties.ts'
import { startJava } from '../../test/kafka/tools.ts'
import { describeExit, type Process } from '../../test/support/process.ts'
import { ProcessMeter } from './accounting.ts'
import { scriptFlags } from './brokers.ts'
import type { BenchCodec } from './events.ts'
import type { MirrorContext, MirrorRun } from './mirror-run.ts'

const mebi = 1024 * 1024
const stopTimeoutMs = 30_000

/** What makes MirrorMaker 2 quick; its own defaults cost up to twice as much, and write uncompressed. */
export const mirrorMakerConsumer: Properties = {
  'fetch.max.bytes': String(50 * mebi),
  'max.partition.fetch.bytes': String(8 * mebi),
  'receive.buffer.bytes': String(2 * mebi),
  'max.poll.records': '10000',
  'fetch.min.bytes': '1',
}
export const mirrorMakerProducer: Properties = {
  'batch.size': String(mebi),
  'linger.ms': '100',
  'buffer.memory': String(128 * mebi),
  'max.request.size': String(10 * mebi),
  'send.buffer.bytes': String(2 * mebi),
  acks: 'all',
  'enable.idempotence': 'true',
  'max.in.flight.requests.per.connection': '5',
}
export const mirrorMakerTasks = '2'

/** As Kafka prints them: `acks=all` is −1 there. */
function expected(codec: BenchCodec): { consumer: Properties; producer: Properties } {
  return { consumer: mirrorMakerConsumer, producer: { ...mirrorMakerProducer, acks: '-1', 'compression.type': codec } }
}

/** MirrorMaker 2 in dedicated mode, tuned, one way, with its heartbeats, checkpoints and offset syncs. */
export async function startMirrorMaker(context: MirrorContext): Promise<MirrorRun> {
  const { source, destination, topic, options, folder } = context
  const file = join(folder, 'mirror-maker.properties')
  const properties = settings(source.kafka.bootstrap, destination.kafka.bootstrap, topic.name, topic.codec)
  await writeFile(file, formatProperties(properties))
  const jars = await kafkaJars('4')
  const child = await startJava(jars, 'org.apache.kafka.connect.mirror.MirrorMaker', [file], {
    heapMb: options.mirrorMakerHeapMb,
    flags: ['-Xms256m', ...scriptFlags],
    logLevel: 'info',
    scratch: folder,
  })
  return new MirrorMakerRun(child, topic.codec)
}

class MirrorMakerRun implements MirrorRun {
  readonly meters: readonly ProcessMeter[]
  readonly #process: Process
  readonly #codec: BenchCodec

  constructor(child: Process, codec: BenchCodec) {
    this.#process = child
    this.#codec = codec
    this.meters = [new ProcessMeter('mirror', child.pid)]
  }

  /** It begins by itself. */
  async begin(): Promise<void> {}

  async check(): Promise<void> {
    const { exit } = this.#process
    if (exit) throw new Error(`MirrorMaker 2 ended (${describeExit(exit)}):\n${this.#process.tail(20)}`)
  }

  async verify(): Promise<void> {
    const log = this.#process.output
    const wanted = expected(this.#codec)
    checkSettings(log, 'ProducerConfig', /connector-producer-MirrorSourceConnector/, wanted.producer)
    checkSettings(log, 'ConsumerConfig', /replication-consumer/, wanted.consumer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // In good order, so that it leaves its group: the next one would have to wait for it.
    await this.#process.stop({ timeoutMs: stopTimeoutMs })
  }
}

function settings(source: string, destination: string, topic: string, codec: BenchCodec): Properties {
  const under = (prefix: string, properties: Properties) => {
    return Object.fromEntries(Object.entries(properties).map(([name, value]) => [`${prefix}.${name}`, value]))
  }
  const one = (names: string[]) => Object.fromEntries(names.map((name) => [`${name}.replication.factor`, '1']))
  return {
    clusters: 'east, west',
    'east.bootstrap.servers': source,
    'west.bootstrap.servers': destination,
    'east->west.enabled': 'true',
    'west->east.enabled': 'false',
    'east->west.topics': topic,
    'replication.policy.class': 'org.apache.kafka.connect.mirror.IdentityReplicationPolicy',
    'dedicated.mode.enable.internal.rest': 'false',
    'tasks.max': mirrorMakerTasks,
    'replication.factor': '1',
    ...one(['checkpoints.topic', 'heartbeats.topic', 'offset-syncs.topic']),
    ...one(['offset.storage', 'status.storage', 'config.storage']),
    ...under('east.consumer', { ...mirrorMakerConsumer, 'auto.offset.reset': 'earliest' }),
    ...under('west.producer', { ...mirrorMakerProducer, 'compression.type': codec }),
  }
}

/** Kafka's clients print all of their settings when they start. */
function checkSettings(log: string, kind: string, clientId: RegExp, wanted: Properties): void {
  const blocks = log.split(`${kind} values: `).slice(1)
  const block = blocks.find((text) => clientId.test(/^\s*client\.id = (.*)$/m.exec(text)?.[1] ?? ''))
  if (!block) {
    throw new Error(`MirrorMaker 2 said nothing of the ${kind} of ${clientId.source}: are its settings printed still?`)
  }
  for (const [name, value] of Object.entries(wanted)) {
    const found = new RegExp(`^\\s*${name.replaceAll('.', '\\.')} = (.*)$`, 'm').exec(block)?.[1]
    if (found !== value) throw new Error(`MirrorMaker 2's ${kind} has ${name} = ${found}, not ${value}`)
  }
}
