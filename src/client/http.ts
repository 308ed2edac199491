import { type ErrorCode, errorTable, LinkspanError } from '../base/errors.ts'

export interface HttpRequest {
  method: string
  /** Path and query. */
  path: string
  headers?: Record<string, string>
  body?: string
}

export interface HttpAnswer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  body: string
}

/**
 * One request and its whole answer, over whatever there is: TLS with a pin, a Unix socket, a browser's fetch. Throws
 * when there was no answer.
 */
export type HttpCall = (request: HttpRequest, signal?: AbortSignal) => Promise<HttpAnswer>

/** A value, and the tag that makes a change of it conditional on nobody else having changed it. */
export interface Tagged<Value> {
  value: Value
  etag: string | undefined
}

const errorCodeHeader = 'linkspan-error'

/** The answer's body. Throws what `errorOf` finds. */
export async function call(http: HttpCall, request: HttpRequest, signal?: AbortSignal): Promise<HttpAnswer> {
  const answer = await http(request, signal)
  const error = errorOf(answer)
  if (error) throw error
  return answer
}

export function jsonRequest(method: string, path: string, body?: unknown, etag?: string): HttpRequest {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (etag !== undefined) headers['if-match'] = etag
  if (body === undefined) return { method, path, headers }
  headers['content-type'] = 'application/json'
  return { method, path, headers, body: JSON.stringify(body) }
}

/** Throws `malformed` for a body that is no JSON, such as the page of a proxy in between. */
export function parseJson(answer: HttpAnswer): unknown {
  try {
    return JSON.parse(answer.body)
  } catch (cause) {
    const sentence = `The answer (HTTP ${answer.status}) is not JSON: is this address a Linkspan's?`
    throw new LinkspanError('malformed', sentence, { cause })
  }
}

const codeOfStatus: Record<number, ErrorCode> = {
  400: 'invalid-request',
  401: 'not-trusted',
  403: 'not-permitted',
  404: 'not-found',
  408: 'timeout',
  409: 'already-exists',
  412: 'precondition-failed',
  413: 'too-large',
  429: 'rate-limited',
  501: 'unsupported',
  502: 'unreachable',
  503: 'closed',
  504: 'timeout',
}

/** The error in an answer of either dialect, with the text of whoever answered; undefined when it went well. */
export function errorOf(answer: HttpAnswer): LinkspanError | undefined {
  const told = toldError(answer)
  if (answer.status < 400 && !told) return undefined
  const status = told?.status ?? answer.status
  const named = answer.headers[errorCodeHeader]
  const code = named !== undefined && Object.hasOwn(errorTable, named) ? (named as ErrorCode) : codeOfStatus[status]
  const text = told?.text || `HTTP ${answer.status}, without a reason`
  return new LinkspanError(code ?? (status < 500 ? 'invalid-request' : 'internal'), text, {
    details: { status, ...(told?.details ?? {}) },
  })
}

interface ToldError {
  status: number
  text: string
  details?: Record<string, unknown>
}

/** LXD's envelope can hold an error whatever the status; Confluent's body has a code of five digits. */
function toldError(answer: HttpAnswer): ToldError | undefined {
  const body = readObject(answer.body)
  if (!body) return undefined
  if (body.type === 'error') return { status: Number(body.error_code) || answer.status, text: String(body.error ?? '') }
  if (answer.status < 400 || typeof body.message !== 'string') return undefined
  return { status: answer.status, text: body.message, details: { errorCode: body.error_code } }
}

function readObject(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
}
