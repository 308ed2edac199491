import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Client, createClient } from '../../src/client/client.ts'
import type { Ready } from '../../src/daemon/ready.ts'
import { type HttpConnections, unixHttp } from '../../src/transport/pinned-fetch.ts'
import {
  describeExit,
  type Exit,
  type Process,
  type ProcessOptions,
  type RunResult,
  run,
  startProcess,
  waitFor,
} from './process.ts'

const root = resolve(import.meta.dirname, '../..')
export const daemonMain = join(root, 'src/daemon/main.ts')
export const cliMain = join(root, 'src/cli/main.ts')

/** As `bin/linkspand` starts it. */
const nodeFlags = ['--max-semi-space-size=2']
const nodeEnvironment = { MALLOC_ARENA_MAX: '2' }

/** Nothing listens there: for tests that need a daemon and no Kafka. */
export const noKafka = '127.0.0.1:1'

/** Instead of bootstrap servers. */
export const embeddedBroker = 'embedded'

export interface StartOptions {
  /** Bootstrap servers, or `embedded` for the daemon's own broker on a free port; one that is not there unless told. */
  kafka?: string
  name?: string
  /** Text of the properties file for `--kafka-config`. */
  kafkaConfig?: string
  /** Further flags. */
  args?: readonly string[]
  env?: Record<string, string | undefined>
  /** A folder that survives the daemon; a new one, removed with it, unless told. */
  stateDir?: string
  timeoutMs?: number
}

/** A daemon in a process of its own, on a free port. */
export class Daemon implements AsyncDisposable {
  readonly stateDir: string
  readonly process: Process
  readonly ready: Ready
  /** Typed calls over the administrator's socket. */
  readonly client: Client
  /** Raw calls over it. */
  readonly http: HttpConnections
  readonly #folder: string | undefined

  constructor(parts: { stateDir: string; process: Process; ready: Ready; folder: string | undefined }) {
    this.stateDir = parts.stateDir
    this.process = parts.process
    this.ready = parts.ready
    this.#folder = parts.folder
    this.http = unixHttp(join(this.stateDir, 'unix.socket'))
    this.client = createClient(this.http)
  }

  /** As it is now: the id of the Kafka may come later than the daemon. */
  async readReady(): Promise<Ready> {
    return JSON.parse(await readFile(join(this.stateDir, 'ready.json'), 'utf8')) as Ready
  }

  /** The command line as this daemon's administrator uses it. */
  cli(words: readonly string[], options: ProcessOptions & { timeoutMs?: number } = {}): Promise<RunResult> {
    const ours = { LINKSPAN_DIR: this.stateDir, LINKSPAN_CONF: join(this.stateDir, 'cli'), LINKSPAN_REMOTE: undefined }
    const env = { ...ours, ...options.env }
    return run(process.execPath, [cliMain, ...words], { ...options, env })
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    this.process.kill(signal)
    return this.process.waitForExit()
  }

  stop(): Promise<Exit> {
    return this.process.stop({ timeoutMs: 15_000 })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.http[Symbol.asyncDispose]()
    await this.stop()
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Resolves once the daemon is ready; fails with its last output when it ends before. */
export async function startDaemon(options: StartOptions = {}): Promise<Daemon> {
  const folder = options.stateDir === undefined ? await mkdtemp(join(tmpdir(), 'linkspan-')) : undefined
  const stateDir = options.stateDir ?? join(folder!, 'state')
  const child = startProcess(process.execPath, await argumentsOf(options, stateDir, folder), {
    env: { ...withoutOurs(process.env), ...nodeEnvironment, ...options.env },
  })
  try {
    const readyPath = join(stateDir, 'ready.json')
    const found = await waitFor(async () => child.exit ?? (await readReadyOf(child, readyPath)), {
      timeoutMs: options.timeoutMs ?? 20_000,
      what: `ready.json of ${stateDir}`,
    })
    if (!('https' in found)) throw new Error(`It ended with ${describeExit(found)}`)
    return new Daemon({ stateDir, process: child, ready: found, folder })
  } catch (error) {
    await child.stop()
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
    throw new Error(`The daemon did not start:\n${child.tail()}`, { cause: error })
  }
}

async function argumentsOf(options: StartOptions, stateDir: string, folder: string | undefined): Promise<string[]> {
  const { kafka = noKafka, name, kafkaConfig, args = [] } = options
  const words = [...nodeFlags, daemonMain, '--state-dir', stateDir, '--listen', '127.0.0.1:0']
  words.push(...(kafka === embeddedBroker ? ['--broker-listen', '127.0.0.1:0'] : ['--kafka', kafka]))
  if (name !== undefined) words.push('--name', name)
  if (kafkaConfig !== undefined) {
    const path = `${folder === undefined ? stateDir : join(folder, 'kafka')}.properties`
    await writeFile(path, kafkaConfig, { mode: 0o600 })
    words.push('--kafka-config', path)
  }
  return [...words, ...args]
}

/** A variable of whoever runs the tests must not decide them. */
function withoutOurs(env: NodeJS.ProcessEnv): Record<string, string | undefined> {
  const names = Object.keys(env).filter((name) => name.startsWith('LINKSPAN_'))
  return Object.fromEntries(names.map((name) => [name, undefined]))
}

/** That of this very process: one that a killed daemon left behind does not count. */
async function readReadyOf(child: Process, path: string): Promise<Ready | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  const ready = text === undefined ? undefined : (JSON.parse(text) as Ready)
  return ready?.pid === child.pid ? ready : undefined
}
