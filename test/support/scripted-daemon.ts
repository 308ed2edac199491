import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { cacheFolder } from '../kafka/cache.ts'
import { cliMain } from './daemon.ts'
import { type ProcessOptions, type RunResult, run } from './process.ts'

export interface ScriptedRequest {
  /** `GET /1.0`. */
  line: string
  headers: IncomingMessage['headers']
  body: unknown
}

export interface ScriptedAnswer {
  status?: number
  headers?: Record<string, string>
  body?: unknown
}

/** By method and path with query. Several answers are given in turn, the last one ever after. */
export type Script = Record<string, ScriptedAnswer | ScriptedAnswer[]>

export interface ScriptedDaemon {
  stateDir: string
  /** What was asked, in order. */
  requests: ScriptedRequest[]
  /** Their first lines alone. */
  lines: () => string[]
  cli: (words: readonly string[], options?: ProcessOptions) => Promise<RunResult>
}

/** A daemon that says what the test wants, at the administrator's socket; all else is not found. */
export async function startScriptedDaemon(t: TestContext, script: Script): Promise<ScriptedDaemon> {
  const stateDir = await mkdtemp(join(tmpdir(), 'linkspan-cli-'))
  const requests: ScriptedRequest[] = []
  const given = new Map<string, number>()
  const server = createServer(async (request, response) => {
    const line = `${request.method} ${request.url}`
    requests.push({ line, headers: request.headers, body: await bodyOf(request) })
    const { status = 200, headers = {}, body = '' } = next(script[line], line, given)
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text)
  })
  await new Promise<void>((resolve) => server.listen(join(stateDir, 'unix.socket'), resolve))
  t.after(async () => {
    server.closeAllConnections()
    server.close()
    await rm(stateDir, { recursive: true })
  })
  const cli: ScriptedDaemon['cli'] = (words, options = {}) => {
    // As the launcher sets it.
    const NODE_COMPILE_CACHE = join(cacheFolder(), 'compiled')
    const ours = { LINKSPAN_DIR: stateDir, LINKSPAN_CONF: join(stateDir, 'cli'), LINKSPAN_REMOTE: undefined }
    const env = { ...ours, NODE_COMPILE_CACHE, VISUAL: undefined, EDITOR: undefined, ...options.env }
    return run(process.execPath, [cliMain, ...words], { ...options, env })
  }
  return { stateDir, requests, lines: () => requests.map(({ line }) => line), cli }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request) text += chunk
  return text === '' ? undefined : JSON.parse(text)
}

function next(answers: Script[string] | undefined, line: string, given: Map<string, number>): ScriptedAnswer {
  if (answers === undefined) return failed(404, `Not scripted: ${line}`)
  const list = Array.isArray(answers) ? answers : [answers]
  const index = given.get(line) ?? 0
  given.set(line, index + 1)
  return list[Math.min(index, list.length - 1)] ?? {}
}

/** Of LXD's dialect. */
export function sync(metadata: unknown, headers: Record<string, string> = {}): ScriptedAnswer {
  return { headers, body: envelope({ type: 'sync', status: 'Success', status_code: 200, metadata }) }
}

export function created(location: string, metadata: unknown = null): ScriptedAnswer {
  const body = envelope({ type: 'sync', status: 'Success', status_code: 200, metadata })
  return { status: 201, headers: { location }, body }
}

export function failed(status: number, error: string, code?: string): ScriptedAnswer {
  const headers = code === undefined ? {} : { 'linkspan-error': code }
  return { status, headers, body: envelope({ type: 'error', error_code: status, error }) }
}

function envelope(parts: Record<string, unknown>): Record<string, unknown> {
  const empty = { status: '', status_code: 0, operation: '', error_code: 0, error: '', metadata: null }
  return { ...empty, ...parts }
}

/** Of Confluent's dialect, where the Kafka cluster is called K. */
export const clusters = { 'GET /kafka/v3/clusters': list([{ cluster_id: 'K' }]) }
export const kafkaPath = '/kafka/v3/clusters/K'

export function list(data: unknown[]): ScriptedAnswer {
  return { body: { kind: 'List', metadata: { self: '', next: null }, data } }
}

/** One that runs, unless told otherwise. */
export function operation(parts: Record<string, unknown>): Record<string, unknown> {
  return {
    id: 'op1',
    class: 'task',
    description: 'Something',
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    status: 'Running',
    status_code: 103,
    resources: {},
    metadata: null,
    may_cancel: true,
    err: '',
    err_code: 0,
    child_count: 0,
    location: 'none',
    ...parts,
  }
}
