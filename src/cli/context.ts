import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { isLinkspanError, LinkspanError } from '../base/errors.ts'
import { type Client, createClient } from '../client/client.ts'
import type { HttpCall } from '../client/http.ts'
import { type HttpConnections, unixHttp } from '../transport/pinned-fetch.ts'
import { version } from './version.ts'

interface GlobalOptions {
  stateDir?: string
  quiet?: boolean
}

/** What a command works with: the daemon that is meant, and where its words go. */
export class Context implements AsyncDisposable {
  readonly quiet: boolean
  readonly stateDir: string
  readonly client: Client
  readonly http: HttpCall
  readonly #connections: HttpConnections

  constructor(options: GlobalOptions) {
    this.quiet = options.quiet ?? false
    this.stateDir = stateDirectory(options.stateDir)
    const socketPath = join(this.stateDir, 'unix.socket')
    this.#connections = unixHttp(socketPath)
    this.http = explainingHttp(this.#connections, { socketPath, stateDir: this.stateDir })
    this.client = createClient(this.http)
  }

  /** A result, to standard output. */
  print(text: string): void {
    process.stdout.write(`${text}\n`)
  }

  /** What was done, to standard output unless only results are wanted. */
  say(text: string): void {
    if (!this.quiet) this.print(text)
  }

  /** Anything else, to standard error. */
  note(text: string): void {
    if (!this.quiet) process.stderr.write(`${text}\n`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connections[Symbol.asyncDispose]()
  }
}

export function openContext(command: Command): Context {
  return new Context(command.optsWithGlobals<GlobalOptions>())
}

/** The same choice as the daemon's: flag, environment, default of the user. */
export function stateDirectory(flag: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  const given = flag ?? env.LINKSPAN_DIR
  if (given === '') throw new LinkspanError('usage', 'The state directory is empty: name one, or leave it out')
  if (given !== undefined) return resolve(given)
  return process.getuid?.() === 0 ? '/var/lib/linkspan' : join(homedir(), '.local', 'state', 'linkspan')
}

interface Daemon {
  socketPath: string
  stateDir: string
}

function explainingHttp(connections: HttpConnections, daemon: Daemon): HttpCall {
  return async (request, signal) => {
    const headers = { 'user-agent': `linkspan/${version}`, ...request.headers }
    try {
      return await connections({ ...request, headers }, signal)
    } catch (error) {
      throw explained(error, daemon)
    }
  }
}

function explained(error: unknown, { socketPath, stateDir }: Daemon): unknown {
  if (!isLinkspanError(error, 'unreachable')) return error
  const reason = (error.cause as NodeJS.ErrnoException | undefined)?.code
  const options = { details: { socketPath, ...(reason === undefined ? {} : { reason }) } }
  if (reason === 'EACCES' || reason === 'EPERM') {
    const sentence = `${socketPath} is not yours to open: run this as the user who runs the daemon`
    return new LinkspanError('not-permitted', sentence, options)
  }
  if (reason === 'ENOENT' || reason === 'ECONNREFUSED' || reason === 'ENOTDIR') {
    const wayOut = `start one with "linkspand --state-dir ${stateDir}", or name another by --state-dir or LINKSPAN_DIR`
    return new LinkspanError('unreachable', `No Linkspan daemon answers at ${socketPath}: ${wayOut}`, options)
  }
  return new LinkspanError('unreachable', `The daemon at ${socketPath} closed the connection before it answered`, {
    ...options,
    cause: error.cause,
  })
}
