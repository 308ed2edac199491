import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { guardProcess, releaseProcess } from './watchdog.ts'

/** As much of a process's output as is kept: the newest. */
const outputCharactersMax = 4 << 20

export interface WaitOptions {
  timeoutMs?: number
  intervalMs?: number
  /** What is waited for, for the error's sentence. */
  what?: string
}

export interface ProcessOptions {
  cwd?: string
  /** Added to this process's environment; `undefined` removes a name. */
  env?: Record<string, string | undefined>
  /** Written to its standard input, which is then closed. Without it the input is empty, unless `openInput` is set. */
  input?: string | Uint8Array
  openInput?: boolean
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface RunResult extends Exit {
  stdout: string
  stderr: string
}

/** Asks until the answer is truthy and returns it. What `condition` threw last is the cause of the timeout's error. */
export async function waitFor<T>(condition: () => T | Promise<T>, options: WaitOptions = {}): Promise<NonNullable<T>> {
  const { timeoutMs = 10_000, intervalMs = 20, what = 'the condition' } = options
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  for (;;) {
    try {
      const answer = await condition()
      if (answer) return answer
      cause = undefined
    } catch (error) {
      cause = error
    }
    if (performance.now() >= deadline) throw new Error(`${what} did not come true within ${timeoutMs} ms`, { cause })
    await sleep(intervalMs)
  }
}

/**
 * A child process with its output captured. It never keeps the test process alive by itself, and is killed with it.
 */
export class Process implements AsyncDisposable {
  readonly pid: number
  readonly command: string
  readonly stdin: ChildProcess['stdin']
  readonly #child: ChildProcess
  readonly #out = { stdout: '', stderr: '', both: '' }
  #exit: Exit | undefined

  constructor(child: ChildProcess, command: string) {
    this.#child = child
    this.command = command
    this.stdin = child.stdin
    this.pid = child.pid ?? -1
    for (const name of ['stdout', 'stderr'] as const) this.#capture(name)
    child.once('exit', (code, signal) => {
      releaseProcess(this.pid)
      this.#exit ??= { code, signal }
    })
    child.once('error', (error) => {
      this.#append('stderr', error.message)
      this.#exit ??= { code: 127, signal: null }
    })
    if (child.pid !== undefined) guardProcess(child.pid)
    child.unref()
  }

  /** Standard output and standard error in the order in which they came. */
  get output(): string {
    return this.#out.both
  }

  get stdout(): string {
    return this.#out.stdout
  }

  get stderr(): string {
    return this.#out.stderr
  }

  /** Undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit
  }

  /** Resolves with the first match in the output, past and future; fails at once when the process ends without one. */
  async waitForOutput(pattern: RegExp, { timeoutMs = 15_000 }: WaitOptions = {}): Promise<RegExpExecArray> {
    const find = () => pattern.exec(this.#out.both)
    await waitFor(() => find() !== null || this.#exit, { timeoutMs, what: `${pattern} of ${this.command}` }).catch(
      (error: Error) => {
        throw new Error(`${error.message}; its last output:\n${this.tail()}`)
      },
    )
    if (this.#exit) await this.#drained()
    const match = find()
    if (match) return match
    throw new Error(`${this.command} ended (${describeExit(this.#exit!)}) before ${pattern}:\n${this.tail()}`)
  }

  async waitForExit({ timeoutMs = 15_000 }: WaitOptions = {}): Promise<Exit> {
    await waitFor(() => this.#exit, { timeoutMs, intervalMs: 5, what: `the end of ${this.command}` })
    await this.#drained()
    return this.#exit!
  }

  /** Sends a signal to this process alone; false when it is gone. */
  kill(signal: NodeJS.Signals = 'SIGKILL'): boolean {
    return this.#exit === undefined && this.#child.kill(signal)
  }

  /** SIGTERM, and SIGKILL when that has not worked after `timeoutMs`. */
  async stop({ timeoutMs = 10_000 }: WaitOptions = {}): Promise<Exit> {
    if (this.#exit) return this.#exit
    this.kill('SIGCONT')
    this.kill('SIGTERM')
    try {
      return await this.waitForExit({ timeoutMs })
    } catch {
      this.kill('SIGKILL')
      return await this.waitForExit({ timeoutMs: 5000 })
    }
  }

  tail(lines = 40): string {
    return this.#out.both.trimEnd().split('\n').slice(-lines).join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #capture(name: 'stdout' | 'stderr'): void {
    const stream = this.#child[name]
    if (!stream) return
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => this.#append(name, text))
    stream.on('error', () => {})
    if ('unref' in stream && typeof stream.unref === 'function') stream.unref()
  }

  #append(name: 'stdout' | 'stderr', text: string): void {
    for (const key of [name, 'both'] as const) {
      const whole = this.#out[key] + text
      this.#out[key] = whole.length > outputCharactersMax ? whole.slice(whole.length / 2) : whole
    }
  }

  /** The pipes may still hold output when the process is gone; a grandchild may hold them open for ever. */
  async #drained(): Promise<void> {
    const streams = [this.#child.stdout, this.#child.stderr].filter((stream) => stream !== null)
    const drained = () => streams.every((stream) => stream.readableEnded || stream.destroyed)
    await waitFor(drained, { timeoutMs: 1000, intervalMs: 2 }).catch(() => {})
  }
}

export function startProcess(command: string, args: readonly string[], options: ProcessOptions = {}): Process {
  const { cwd, env, input, openInput = false } = options
  const wantsInput = input !== undefined || openInput
  const child = spawn(command, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    stdio: [wantsInput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  })
  child.stdin?.on('error', () => {})
  if (input !== undefined) child.stdin?.end(input)
  return new Process(child, command.split('/').at(-1)!)
}

/** Runs to the end. A command that cannot be started ends with code 127. */
export async function run(
  command: string,
  args: readonly string[],
  { timeoutMs = 60_000, ...options }: ProcessOptions & WaitOptions = {},
): Promise<RunResult> {
  await using child = startProcess(command, args, options)
  const exit = await child.waitForExit({ timeoutMs })
  return { ...exit, stdout: child.stdout, stderr: child.stderr }
}

/** Like `run`, but an exit code other than 0 is an error that shows the last lines. */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  options: ProcessOptions & WaitOptions = {},
): Promise<RunResult> {
  const result = await run(command, args, options)
  if (result.code === 0) return result
  const tail = `${result.stdout}${result.stderr}`.trimEnd().split('\n').slice(-30).join('\n')
  throw new Error(`${command} ${args.join(' ')} failed (${describeExit(result)}):\n${tail}`)
}

export function describeExit({ code, signal }: Exit): string {
  return signal === null ? `exit code ${code}` : signal
}
