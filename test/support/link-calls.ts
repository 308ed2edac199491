import { encodeToken, type TrustToken } from '../../src/identity/trust-token.ts'
import { download } from '../../src/transport/pinned-download.ts'
import type { HttpCall, HttpConnections } from '../../src/transport/pinned-fetch.ts'

/** An answer of LXD's dialect, with what tests look at. */
export interface V1Answer {
  status: number
  /** Of the error; empty when it went well. */
  error: string
  /** Of the error's code, in the table of `base/errors.ts`. */
  code: string | undefined
  location: string | undefined
  etag: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever came
  metadata: any
}

/** Whatever answers HTTP: a daemon's socket, or its port with a certificate. */
export interface Callable {
  http: HttpCall
}

export async function callV1(
  { http }: Callable,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<V1Answer> {
  const json = body === undefined ? {} : { body: JSON.stringify(body) }
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  const answer = await http({ method, path, headers: { ...type, ...headers }, ...json })
  const { error, metadata } = JSON.parse(answer.body) as { error: string; metadata: unknown }
  const { location, etag, 'linkspan-error': code } = answer.headers
  return { status: answer.status, error, code, location, etag, metadata }
}

export const linksPath = '/1.0/cluster/links'

/** A pending link's token. Throws with the daemon's text. */
export async function mintLinkToken(at: Callable, name: string, more: object = {}): Promise<TrustToken> {
  const answer = await callV1(at, 'POST', linksPath, { name, type: 'bidirectional', ...more })
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.error}`)
  return answer.metadata as TrustToken
}

export function useLinkToken(at: Callable, name: string, token: TrustToken | string, more: object = {}) {
  const text = typeof token === 'string' ? token : encodeToken(token)
  return callV1(at, 'POST', linksPath, { name, type: 'bidirectional', trust_token: text, ...more })
}

/** Trust in both directions: `one` calls the link `other`'s given name, and the other way round. */
export async function linkDaemons(
  one: Callable,
  other: Callable,
  names: { atOne: string; atOther: string },
): Promise<void> {
  const token = await mintLinkToken(one, names.atOne)
  const answer = await useLinkToken(other, names.atOther, token)
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.error}`)
}

/** An answer that is no text. Throws with the daemon's text for any other than 200. */
export async function exported(http: HttpConnections, path: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  const answer = await download(http, path, async (chunk) => void chunks.push(chunk), AbortSignal.timeout(10_000))
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`)
  return Buffer.concat(chunks)
}
