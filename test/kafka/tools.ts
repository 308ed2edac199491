import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Process, type RunResult, startProcess } from '../support/process.ts'
import { quickFlags } from './class-archive.ts'
import { type KafkaJars, type KafkaVersion, kafkaJars } from './jars.ts'
import { javaCommand } from './java.ts'
import { formatProperties, type Properties } from './properties.ts'

export interface JavaOptions {
  heapMb?: number
  /** Instead of the flags that make short runs quick. */
  flags?: readonly string[]
  /** Of Kafka's own log, which goes to standard error. */
  logLevel?: 'error' | 'warn' | 'info'
  /** For temporary files, instead of the system's folder. */
  scratch?: string
  timeoutMs?: number
  input?: string | Uint8Array
  openInput?: boolean
}

/** A main class of Kafka's jars in a Java of its own. */
export async function startJava(
  jars: KafkaJars,
  mainClass: string,
  args: readonly string[],
  { heapMb = 256, flags, logLevel = 'error', scratch = tmpdir(), input, openInput }: JavaOptions = {},
): Promise<Process> {
  const settings = [
    `-Djava.io.tmpdir=${scratch}`,
    `-Dorg.slf4j.simpleLogger.defaultLogLevel=${logLevel}`,
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
  ]
  const all = [
    `-Xmx${heapMb}m`,
    ...(flags ?? (await quickFlags(jars))),
    ...settings,
    '-cp',
    jars.classpath,
    mainClass,
    ...args,
  ]
  return startProcess(await javaCommand(), all, {
    ...(input === undefined ? {} : { input }),
    ...(openInput === undefined ? {} : { openInput }),
  })
}

export async function runJava(
  jars: KafkaJars,
  mainClass: string,
  args: readonly string[],
  options: JavaOptions = {},
): Promise<RunResult> {
  await using child = await startJava(jars, mainClass, args, options)
  const exit = await child.waitForExit({ timeoutMs: options.timeoutMs ?? 60_000 })
  if (exit.code !== 0) throw new Error(`${mainClass.split('.').at(-1)} failed:\n${child.tail(30)}`)
  return { ...exit, stdout: child.stdout, stderr: child.stderr }
}

/** What tools and clients need to know of a cluster: a `Kafka` of this process, or one that is shared. */
export interface KafkaAddress {
  readonly version: KafkaVersion
  readonly bootstrap: string
  /** For Java clients, `bootstrap.servers` included. */
  config(user?: string): Properties
}

/** A plain listener that the tools of the newest Kafka talk to: such as our embedded broker's. */
export function plainAddress(version: KafkaVersion, bootstrap: string): KafkaAddress {
  return {
    version,
    bootstrap,
    config: () => ({ 'bootstrap.servers': bootstrap, 'security.protocol': 'PLAINTEXT' }),
  }
}

/** Kafka's own command line tools, by the names of their scripts, and how each takes a client's configuration. */
const tools = {
  'kafka-topics': { '3': 'org.apache.kafka.tools.TopicCommand', config: '--command-config' },
  'kafka-configs': { '3': 'kafka.admin.ConfigCommand', config: '--command-config' },
  'kafka-consumer-groups': {
    '3': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
    config: '--command-config',
  },
  'kafka-acls': {
    '3': 'kafka.admin.AclCommand',
    '4': 'org.apache.kafka.tools.AclCommand',
    config: '--command-config',
  },
  'kafka-get-offsets': { '3': 'org.apache.kafka.tools.GetOffsetShell', config: '--command-config' },
  'kafka-delete-records': { '3': 'org.apache.kafka.tools.DeleteRecordsCommand', config: '--command-config' },
  'kafka-transactions': { '3': 'org.apache.kafka.tools.TransactionsCommand', config: '--command-config' },
  'kafka-console-producer': {
    '3': 'kafka.tools.ConsoleProducer',
    '4': 'org.apache.kafka.tools.ConsoleProducer',
    config: '--producer.config',
  },
  'kafka-console-consumer': {
    '3': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
    config: '--consumer.config',
  },
  'kafka-producer-perf-test': { '3': 'org.apache.kafka.tools.ProducerPerformance', config: '--producer.config' },
} as const satisfies Record<string, { '3': string; '4'?: string; config: string }>

export type KafkaTool = keyof typeof tools

export interface ToolOptions extends JavaOptions {
  user?: string
  /** Added to the client's configuration. */
  config?: Properties
}

/** Runs one of Kafka's tools to its end; one that ends with another code than 0 is an error with its last lines. */
export async function runTool(
  kafka: KafkaAddress,
  tool: KafkaTool,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<RunResult> {
  return await withTool(kafka, tool, options, (jars, mainClass, connection) => {
    return runJava(jars, mainClass, [...connection, ...args], options)
  })
}

async function withTool<T>(
  kafka: KafkaAddress,
  tool: KafkaTool,
  { user, config }: ToolOptions,
  use: (jars: KafkaJars, mainClass: string, connection: string[]) => Promise<T>,
): Promise<T> {
  const jars = await kafkaJars(kafka.version)
  const known: { '3': string; '4'?: string; config: string } = tools[tool]
  const mainClass = jars.version.startsWith('3.') ? known['3'] : (known['4'] ?? known['3'])
  const file = join(tmpdir(), `linkspan-tool-${randomUUID()}.properties`)
  await writeFile(file, formatProperties({ ...kafka.config(user), ...config }), { mode: 0o600 })
  try {
    const server = tool === 'kafka-producer-perf-test' ? [] : ['--bootstrap-server', kafka.bootstrap]
    return await use(jars, mainClass, [...server, known.config, file])
  } finally {
    await rm(file, { force: true })
  }
}

export interface ConsoleRecord {
  partition: number
  offset: number
  timestamp: string
  /** As the console consumer prints them, `NO_HEADERS` or `name:value,…`. */
  headers: string
  key: string | null
  value: string | null
}

/**
 * What Kafka's console consumer shows of a topic, from the start until `records` have come or nothing more comes for
 * `idleMs`. Keys, values and headers hold no line ends or tabs, and are not the text `null`.
 */
export async function consoleConsume(
  kafka: KafkaAddress,
  topic: string,
  { records, idleMs = 5000, readCommitted = false, ...options }: ToolOptions & ConsumeLimits,
): Promise<ConsoleRecord[]> {
  const show = ['partition', 'offset', 'timestamp', 'headers', 'key'].flatMap((name) => {
    return ['--property', `print.${name}=true`]
  })
  const limit = records === undefined ? [] : ['--max-messages', String(records)]
  const isolation = readCommitted ? ['--isolation-level', 'read_committed'] : []
  const args = ['--topic', topic, '--from-beginning', '--timeout-ms', String(idleMs), ...limit, ...isolation, ...show]
  const { stdout, stderr } = await runTool(kafka, 'kafka-console-consumer', args, options)
  // It ends with code 0 whatever happens; a timeout is how it ends when nothing more comes.
  const failure = /errors\.(?!Timeout)\w+Exception.*/.exec(stderr)
  if (failure) throw new Error(`the console consumer failed: ${failure[0]}`)
  // The tools of 4.2 and newer say on the same output that an option has a newer name.
  return stdout
    .split('\n')
    .filter((line) => /^(CreateTime|LogAppendTime|NO_TIMESTAMP)\b/.test(line))
    .map(parseConsoleLine)
}

export interface ConsumeLimits {
  records?: number
  idleMs?: number
  readCommitted?: boolean
}

function parseConsoleLine(line: string): ConsoleRecord {
  const [timestamp, partition, offset, headers, key, value] = line.split('\t')
  const text = (field: string | undefined) => (field === 'null' ? null : field!)
  return {
    timestamp: timestamp!,
    partition: Number(partition!.replace('Partition:', '')),
    offset: Number(offset!.replace('Offset:', '')),
    headers: headers!,
    key: text(key),
    value: text(value),
  }
}

/** What Kafka itself reads in a log file of a node: one line for each batch, or each record with `records`. */
export async function dumpLog(version: KafkaVersion, files: string[], { records = false } = {}): Promise<string> {
  const jars = await kafkaJars(version)
  const mainClass = jars.version.startsWith('3.')
    ? 'kafka.tools.DumpLogSegments'
    : 'org.apache.kafka.tools.DumpLogSegments'
  const deep = records ? ['--print-data-log'] : []
  const { stdout } = await runJava(jars, mainClass, ['--files', files.join(','), ...deep])
  return stdout
}
