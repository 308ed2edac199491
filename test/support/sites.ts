import assert from 'node:assert/strict'
import { systemClock } from '../../src/base/clock.ts'
import type { KafkaMirror } from '../../src/contract/kafka-v3.ts'
import { produceBatch } from '../../src/kafka/admin/produce.ts'
import { buildBatch } from '../../src/records/build.ts'
import { makeTopic, ownClient } from '../kafka/own-client.ts'
import { formatProperties } from '../kafka/properties.ts'
import { type KafkaAddress, plainAddress } from '../kafka/tools.ts'
import { type Daemon, embeddedBroker, type StartOptions, startDaemon } from './daemon.ts'
import { waitFor } from './process.ts'

/** A Kafka and the daemon that fronts it; of one with an embedded broker, that. */
export interface Site {
  kafka: KafkaAddress
  daemon: Daemon
}

export interface LinkedSites extends AsyncDisposable {
  west: Site
  east: Site
}

export interface SitesOptions {
  /** What the east may do at the west, as in `auth group permission add GROUP …`; reading all topics unless told. */
  rights?: readonly string[]
  start?: Partial<StartOptions>
}

/** Two daemons, linked by a token that the west made: the link is called `east` at the west and `west` at the east. */
export async function linkSites(
  westKafka: KafkaAddress | typeof embeddedBroker,
  eastKafka: KafkaAddress | typeof embeddedBroker,
  { rights = ['topic can_read', 'consumer_group can_view'], start = {} }: SitesOptions = {},
): Promise<LinkedSites> {
  const [west, east] = await Promise.all([
    startDaemon({ ...start, ...fronting(westKafka), name: 'west' }),
    startDaemon({ ...start, ...fronting(eastKafka), name: 'east' }),
  ])
  try {
    await linkDaemons(west, east, rights)
  } catch (error) {
    await Promise.all([west.stop(), east.stop()])
    throw error
  }
  return {
    west: { kafka: addressOf(westKafka, west), daemon: west },
    east: { kafka: addressOf(eastKafka, east), daemon: east },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([west[Symbol.asyncDispose](), east[Symbol.asyncDispose]()])
    },
  }
}

function addressOf(kafka: KafkaAddress | typeof embeddedBroker, { ready }: Daemon): KafkaAddress {
  return kafka === embeddedBroker ? plainAddress('4', ready.kafka) : kafka
}

/** What a daemon needs to log in to a Kafka, as its admin. */
function fronting(kafka: KafkaAddress | typeof embeddedBroker): Pick<StartOptions, 'kafka' | 'kafkaConfig'> {
  if (kafka === embeddedBroker) return { kafka }
  const { 'bootstrap.servers': _, ...login } = kafka.config()
  const plain = login['security.protocol'] === 'PLAINTEXT'
  return { kafka: kafka.bootstrap, ...(plain ? {} : { kafkaConfig: formatProperties(login) }) }
}

/** Links `reader` to `owner` by a token: the owner grants `rights`. Both sides may mirror, each by its own grants. */
export async function linkDaemons(owner: Daemon, reader: Daemon, rights: readonly string[]): Promise<void> {
  await cli(owner, 'auth group create readers')
  for (const right of rights) await cli(owner, `auth group permission add readers ${right}`)
  await cli(reader, 'auth group create readers')
  for (const right of rights) await cli(reader, `auth group permission add readers ${right}`)
  const token = await cli(owner, 'cluster link create east --auth-group readers -q')
  await cli(reader, `cluster link create west ${token.trim()} --auth-group readers`)
}

/** Runs a command line that has to succeed; returns what it printed. Words are split at blanks. */
export async function cli(daemon: Daemon, line: string): Promise<string> {
  const { code, stdout, stderr } = await daemon.cli(line.split(' '))
  assert.equal(code, 0, `linkspan ${line}: ${stderr || stdout}`)
  return stdout
}

/** Runs a command line that has to be refused with this exit code; returns what it said. */
export async function refused(daemon: Daemon, line: string, exitCode = 1): Promise<string> {
  const { code, stdout, stderr } = await daemon.cli(line.split(' '))
  assert.equal(code, exitCode, `linkspan ${line}: ${stdout}${stderr}`)
  return stderr
}

/** One batch for each record, to the first partition of a topic in the Kafka that a daemon fronts without login. */
export async function appendTo(
  { ready }: Daemon,
  topic: string,
  values: readonly string[],
  { create = false } = {},
): Promise<void> {
  await using cluster = await ownClient(plainAddress('4', ready.kafka).config())
  if (create) await makeTopic(cluster, topic)
  for (const value of values) {
    const record = { timestampMs: systemClock.wallMs(), key: null, value: Buffer.from(value) }
    await produceBatch(cluster, { topic, partition: 0 }, buildBatch([record]))
  }
}

/** Until the mirror is at `ends` of its source, without lag. */
export function caughtUp(daemon: Daemon, link: string, topic: string, ends: readonly number[], timeoutMs = 60_000) {
  return mirrorWhere(daemon, link, topic, timeoutMs, `${topic} at ${ends}`, ({ mirror_lags: lags }) => {
    return ends.every((end, partition) => {
      const lag = lags[partition]
      return lag !== undefined && lag.lag === 0 && Math.max(lag.last_source_fetch_offset, 0) === end
    })
  })
}

/** Until the mirror has this status. */
export function hasStatus(daemon: Daemon, link: string, topic: string, status: string, timeoutMs = 30_000) {
  return mirrorWhere(daemon, link, topic, timeoutMs, `${topic} ${status}`, (mirror) => mirror.mirror_status === status)
}

async function mirrorWhere(
  daemon: Daemon,
  link: string,
  topic: string,
  timeoutMs: number,
  what: string,
  condition: (mirror: KafkaMirror) => boolean,
): Promise<KafkaMirror> {
  let seen: KafkaMirror | undefined
  try {
    return await waitFor(
      async () => {
        seen = await daemon.client.kafka.mirrors.get(link, topic, { includeErrors: true })
        return condition(seen) ? seen : undefined
      },
      { timeoutMs, what },
    )
  } catch (error) {
    throw new Error(`${(error as Error).message}: ${JSON.stringify(seen)}\n${daemon.process.tail()}`)
  }
}
