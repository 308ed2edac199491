import type { Command } from 'commander'
import { LinkspanError } from '../base/errors.ts'
import { type Client, createClient } from '../client/client.ts'
import { errorOf, type HttpCall } from '../client/http.ts'
import type { Connection } from './connection.ts'
import type { GlobalOptions } from './global-options.ts'
import { connectLocal, stateDirectory } from './local.ts'
import { localRemote } from './names.ts'
import { version } from './version.ts'

export interface ContextOptions {
  /** Of each address of a remote. */
  dialTimeoutMs?: number
}

/** By which the dialects tell a stranger, among others. */
const strangerStatuses = [401, 403]
/** A person waits. */
const usualDialTimeoutMs = 5000

/** What a command works with: the daemon that is meant, and where its words go. */
export class Context implements AsyncDisposable {
  readonly quiet: boolean
  readonly client: Client
  readonly http: HttpCall
  readonly #options: GlobalOptions
  readonly #named: string | undefined
  readonly #dialTimeoutMs: number
  #connection: Promise<Connection> | undefined

  /** `remote`: that of the command's argument, if it names one. Throws `usage`. */
  constructor(options: GlobalOptions, remote?: string, { dialTimeoutMs = usualDialTimeoutMs }: ContextOptions = {}) {
    this.quiet = options.quiet ?? false
    this.#options = options
    this.#named = namedRemote(options, remote)
    this.#dialTimeoutMs = dialTimeoutMs
    this.http = async (request, signal) => {
      const { connections, explain } = await this.connect()
      const headers = { 'user-agent': `linkspan/${version}`, ...request.headers }
      try {
        const answer = await connections({ ...request, headers }, signal)
        const error = strangerStatuses.includes(answer.status) ? errorOf(answer) : undefined
        if (error?.code !== 'not-trusted') return answer
        throw error
      } catch (error) {
        throw explain(error)
      }
    }
    this.client = createClient(this.http)
  }

  /** The remote that is meant: the one that was named, else that of `LINKSPAN_REMOTE`, else the default one. */
  async remote(): Promise<string> {
    const name = this.#named ?? process.env.LINKSPAN_REMOTE
    if (name) return name
    const { RemotesFolder } = await import('./remotes/folder.ts')
    return (await new RemotesFolder().readConfig())['default-remote']
  }

  /** Only what the remote needs is loaded, and only when something is asked. */
  connect(): Promise<Connection> {
    this.#connection ??= this.#open()
    return this.#connection
  }

  async #open(): Promise<Connection> {
    const remote = await this.remote()
    if (remote === localRemote) return connectLocal(stateDirectory(this.#options.stateDir))
    const [{ RemotesFolder }, { connectRemote }] = await Promise.all([
      import('./remotes/folder.ts'),
      import('./remotes/connect.ts'),
    ])
    return connectRemote(new RemotesFolder(), remote, this.#dialTimeoutMs)
  }

  /** What is no text: `take` gets it piece by piece. Throws what the daemon refuses with. */
  async download(path: string, take: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    const [{ connections, explain }, { download }] = await Promise.all([
      this.connect(),
      import('../transport/pinned-download.ts'),
    ])
    const answer = await download(connections, path, take, new AbortController().signal).catch((error: unknown) => {
      throw explain(error)
    })
    const error = errorOf(answer)
    if (error) throw error
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
    const connection = await this.#connection?.catch(() => undefined)
    await connection?.connections[Symbol.asyncDispose]()
  }
}

export function openContext(command: Command, remote?: string): Context {
  return new Context(command.optsWithGlobals<GlobalOptions>(), remote)
}

/** A state directory is one of this machine. */
function namedRemote(options: GlobalOptions, argument: string | undefined): string | undefined {
  const { stateDir, forceLocal, remote } = options
  const flagged = remote?.replace(/:$/, '')
  if (argument !== undefined && flagged !== undefined && argument !== flagged) {
    throw new LinkspanError('usage', `Two remotes are named, "${argument}" and "${flagged}": leave one out`)
  }
  const named = argument ?? flagged
  if (stateDir === undefined && !forceLocal) return named
  if (named === undefined || named === localRemote) return localRemote
  const flag = forceLocal ? '--force-local' : '--state-dir'
  throw new LinkspanError('usage', `${flag} means the daemon of this machine, "${named}:" another: leave one out`)
}
