import type { IncomingMessage } from 'node:http'
import { LinkspanError } from '../base/errors.ts'
import { unreachable } from './opening.ts'
import type { HttpAnswer, HttpConnections } from './pinned-fetch.ts'

// See pinned-fetch.ts.
const { request: sendRequest } = process.getBuiltinModule('node:http')

/** For the head of an answer, and between two pieces of it. */
const idleTimeoutMs = 30_000
const refusalCharactersMax = 64 * 1024

/**
 * Gets what is too large, or no text, piece by piece; the next one is asked for when `take` has resolved. An answer
 * other than 200 is returned with its text, and `take` hears nothing. Throws
 * `unreachable`, `timeout`, `closed`, what `take` throws, or the signal's reason.
 */
export async function download(
  connections: HttpConnections,
  path: string,
  take: (chunk: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  const answer = await open(connections, path, signal)
  const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, String(value)]))
  const status = answer.statusCode ?? 0
  let body = ''
  try {
    for await (const chunk of answer as AsyncIterable<Uint8Array>) {
      if (status === 200) await take(chunk)
      else if (body.length < refusalCharactersMax) body += new TextDecoder().decode(chunk)
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error instanceof LinkspanError) throw error
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error
    throw new LinkspanError('closed', 'The connection was closed before all of the answer was here', { cause: error })
  } finally {
    answer.destroy()
  }
  return { status, headers, body }
}

function open(connections: HttpConnections, path: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { agent } = connections
    const outgoing = sendRequest({ agent, method: 'GET', path, headers: { host: 'linkspan' }, signal }, resolve)
    outgoing.setTimeout(idleTimeoutMs, () => {
      outgoing.destroy(new LinkspanError('timeout', `Nothing came for ${idleTimeoutMs / 1000} s`))
    })
    outgoing.on('error', (error) => {
      if (signal.aborted) reject(signal.reason)
      else reject(error instanceof LinkspanError ? error : unreachable('the other cluster', error))
    })
    outgoing.end()
  })
}
