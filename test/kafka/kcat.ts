import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { unpackDebian } from '../support/debian.ts'
import { run, runOrThrow } from '../support/process.ts'
import { cached } from './cache.ts'
import type { Properties } from './properties.ts'
import type { KafkaAddress } from './tools.ts'

export const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type Codec = (typeof codecs)[number]

interface Kcat {
  command: string
  env: Record<string, string>
}

let found: Promise<Kcat> | undefined

/**
 * kcat from PATH, or else Debian's packages of it and of the libraries that the machine lacks, unpacked into the cache:
 * the system is left as it is.
 */
export function kcat(): Promise<Kcat> {
  found ??= findKcat()
  found.catch(() => {
    found = undefined
  })
  return found
}

/** As `kafkaAvailable`. */
export async function kcatAvailable(): Promise<{ skip: string | false }> {
  if (process.env.CI) return { skip: false }
  try {
    await kcat()
    return { skip: false }
  } catch (error) {
    return { skip: (error as Error).message }
  }
}

async function findKcat(): Promise<Kcat> {
  for (const command of ['kcat', 'kafkacat']) {
    if ((await run(command, ['-V'])).code === 0) return { command, env: {} }
  }
  const folder = await cached('kcat', unpackKcat)
  const libraries = (await readdir(join(folder, 'usr', 'lib'))).map((name) => join(folder, 'usr', 'lib', name))
  const all = [...libraries, process.env.LD_LIBRARY_PATH].filter(Boolean).join(':')
  return { command: join(folder, 'usr', 'bin', 'kcat'), env: { LD_LIBRARY_PATH: all } }
}

async function unpackKcat(folder: string): Promise<void> {
  try {
    await unpackDebian('kcat', folder)
  } catch (cause) {
    const [reason] = (cause as Error).message.split('\n').slice(-1)
    throw new Error(`Tests with kcat need it on PATH ("apt-get install kcat", "brew install kcat"): ${reason}`, {
      cause,
    })
  }
}

export interface KcatOptions {
  user?: string
  /** librdkafka's names. */
  config?: Properties
  timeoutMs?: number
}

export interface KcatProduceOptions extends KcatOptions {
  codec?: Codec
  partition?: number
  idempotent?: boolean
  /** The same for every record. */
  headers?: Record<string, string>
}

/** Null is a null value; keys and values hold no line ends and no tabs, and are not empty. */
export interface TextRecord {
  key?: string
  value: string | null
}

/**
 * A batch that a codec would make longer is sent uncompressed, so only records that compress well prove a codec.
 * SCRAM works against Kafka 3.9 only: the librdkafka of Debian 12 repeats the nonce wrongly, which Kafka 4 refuses.
 */
export async function kcatProduce(
  kafka: KafkaAddress,
  topic: string,
  records: readonly TextRecord[],
  { codec = 'none', partition, idempotent = false, headers = {}, ...options }: KcatProduceOptions = {},
): Promise<void> {
  const args = [
    ...['-P', '-t', topic, '-z', codec, '-Z', '-K', '\t'],
    ...(partition === undefined ? [] : ['-p', String(partition)]),
    ...(idempotent ? ['-X', 'enable.idempotence=true'] : []),
    ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}=${value}`]),
  ]
  const input = records.map(({ key = '', value }) => `${key}\t${value ?? ''}\n`).join('')
  await runKcat(kafka, args, options, input)
}

export interface KcatRecord {
  partition: number
  offset: number
  timestampMs: number
  timestampType: 'create' | 'logappend' | 'unknown'
  headers: [name: string, value: string | null][]
  key: string | null
  value: string | null
}

/** A whole topic, or one partition, up to the end as it is now, by partition and offset. */
export async function kcatConsume(
  kafka: KafkaAddress,
  topic: string,
  { partition, ...options }: KcatOptions & { partition?: number } = {},
): Promise<KcatRecord[]> {
  const where = partition === undefined ? [] : ['-p', String(partition)]
  const args = ['-C', '-t', topic, ...where, '-o', 'beginning', '-e', '-q', '-J', '-X', 'fetch.wait.max.ms=20']
  const stdout = await runKcat(kafka, args, options)
  const records = stdout.split('\n').filter(Boolean).map(parseRecord)
  return records.sort((one, other) => one.partition - other.partition || one.offset - other.offset)
}

function parseRecord(line: string): KcatRecord {
  const raw = JSON.parse(line) as {
    partition: number
    offset: number
    tstype: 'create' | 'logappend' | 'unknown'
    ts: number
    headers?: (string | null)[]
    key: string | null
    payload: string | null
  }
  const headers = raw.headers ?? []
  return {
    partition: raw.partition,
    offset: raw.offset,
    timestampMs: raw.ts,
    timestampType: raw.tstype,
    headers: Array.from({ length: headers.length / 2 }, (_, index) => [headers[index * 2]!, headers[index * 2 + 1]!]),
    key: raw.key,
    value: raw.payload,
  }
}

async function runKcat(
  kafka: KafkaAddress,
  args: readonly string[],
  { user, config = {}, timeoutMs = 60_000 }: KcatOptions,
  input?: string,
): Promise<string> {
  const { command, env } = await kcat()
  const settings = { ...librdkafkaSettings(kafka.config(user)), ...config }
  const all = [...Object.entries(settings).flatMap(([name, value]) => ['-X', `${name}=${value}`]), ...args]
  const { stdout } = await runOrThrow(command, all, { env, timeoutMs, ...(input === undefined ? {} : { input }) })
  return stdout
}

/** The same client in librdkafka's names. */
export function librdkafkaSettings(java: Properties): Properties {
  const [, username] = /username="([^"]*)"/.exec(java['sasl.jaas.config'] ?? '') ?? []
  const [, password] = /password="([^"]*)"/.exec(java['sasl.jaas.config'] ?? '') ?? []
  const authorities = java['ssl.truststore.certificates']
  return {
    'bootstrap.servers': java['bootstrap.servers']!,
    'security.protocol': java['security.protocol'] ?? 'PLAINTEXT',
    ...(java['sasl.mechanism'] ? { 'sasl.mechanisms': java['sasl.mechanism'] } : {}),
    ...(username === undefined ? {} : { 'sasl.username': username, 'sasl.password': password! }),
    ...(authorities === undefined ? {} : { 'ssl.ca.pem': authorities }),
  }
}
