import type { IncomingHttpHeaders } from 'node:http'
import { LinkspanError } from '../base/errors.ts'
import type { ApiRequest } from './request.ts'

const readMethods = ['GET', 'HEAD', 'OPTIONS']

/**
 * Keeps other sites' pages from using a browser that has our client certificate or session: browsers tell where a
 * request comes from, and a certificate, which they send for anybody, is not enough for them to change something.
 * Throws `not-permitted`.
 */
export function guardBrowser(request: ApiRequest): void {
  if (request.caller.transport === 'unix') return
  const { headers } = request
  const upgrade = headers.upgrade !== undefined
  const write = upgrade || !readMethods.includes(request.method)
  const site = headers['sec-fetch-site']
  if (site === 'cross-site' || (write && site !== undefined && site !== 'same-origin' && site !== 'none')) {
    throw refusal('This request comes from the page of another site')
  }
  if (!write) return
  if (headers.origin !== undefined && !isOwnOrigin(headers.origin, headers.host)) {
    throw refusal('This request comes from the page of another site')
  }
  if (isBrowser(headers) && !request.session && request.subject.kind !== 'untrusted') {
    throw refusal("A browser's certificate is not enough to change something: log in to the page")
  }
}

export function isBrowser(headers: IncomingHttpHeaders): boolean {
  const marks = [headers.origin, headers['sec-fetch-site'], headers['sec-fetch-mode']]
  return marks.some((mark) => mark !== undefined) || (headers['user-agent'] ?? '').startsWith('Mozilla')
}

function isOwnOrigin(origin: string, host: string | undefined): boolean {
  if (!URL.canParse(origin)) return false
  const url = new URL(origin)
  const own = `https://${host}`
  return url.protocol === 'https:' && URL.canParse(own) && url.host === new URL(own).host
}

function refusal(sentence: string): LinkspanError {
  return new LinkspanError('not-permitted', sentence)
}
