import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { authorize, type Judgement, mayView } from '../access/authorize.ts'
import { type AccessSnapshot, type Subject, usernameOf } from '../access/snapshot.ts'
import { assert, isLinkspanError, LinkspanError } from '../base/errors.ts'
import { type Entitlement, type EntityRef, entityUrl, serverRef } from '../contract/entities.ts'
import type { Requestor, SecurityMetadata } from '../events/event.ts'
import type { Caller } from '../transport/caller.ts'
import { checkEntitlement } from './route.ts'

/** Of each text that a caller chose: the audit trail keeps many events in memory. */
const auditedCharactersMax = 500

export interface RequestParts {
  request: FastifyRequest
  reply: FastifyReply
  caller: Caller
  /** Whom the caller is at this moment, by the certificate or by a session. */
  currentSubject: () => Subject
  snapshot: AccessSnapshot
  /** The caller logged in to the page: no certificate, but a cookie that only our own pages can send. */
  session: boolean
  onRefused: (event: SecurityMetadata) => void
}

/** One request, as handlers see it: who asks for what, and what that one may do. */
export class ApiRequest<Body = unknown> {
  readonly caller: Caller
  /** Whom the caller was when the request came. */
  readonly subject: Subject
  /** For what stays open longer than a request: rights can be lost meanwhile. */
  readonly currentSubject: () => Subject
  readonly snapshot: AccessSnapshot
  readonly session: boolean
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #onRefused: (event: SecurityMetadata) => void
  #controller: AbortController | undefined

  constructor(parts: RequestParts) {
    this.#request = parts.request
    this.#reply = parts.reply
    this.caller = parts.caller
    this.subject = parts.currentSubject()
    this.currentSubject = parts.currentSubject
    this.snapshot = parts.snapshot
    this.session = parts.session
    this.#onRefused = parts.onRefused
  }

  get method(): string {
    return this.#request.method
  }

  /** As it was sent: path and query. */
  get url(): string {
    return this.#request.originalUrl
  }

  get path(): string {
    return this.url.replace(/\?.*$/s, '')
  }

  get headers(): IncomingHttpHeaders {
    return this.#request.headers
  }

  get userAgent(): string {
    return this.headers['user-agent'] ?? ''
  }

  /** Checked against the route's schema, if it has one; a request without body has `undefined`. */
  get body(): Body {
    return this.#request.body as Body
  }

  /** The unread body of a dialect that takes streams. */
  get stream(): Readable {
    return (this.#request.body ?? this.#request.raw) as Readable
  }

  /** Percent escapes are resolved. */
  param(name: string): string {
    const value = (this.#request.params as Record<string, string | undefined>)[name]
    assert(value !== undefined, `the path ${this.#request.routeOptions.url} has no part :${name}`)
    return value
  }

  /** The first of a parameter that is given several times. */
  query(name: string): string | undefined {
    const value = (this.#request.query as Record<string, string | string[] | undefined>)[name]
    return Array.isArray(value) ? value[0] : value
  }

  /** Absent is the fallback. Throws `invalid-request` for anything but `true`, `false`, `1` and `0`. */
  flag(name: string, fallback = false): boolean {
    const text = this.query(name)?.toLowerCase()
    if (text === undefined || text === '') return fallback
    if (text === 'true' || text === '1') return true
    if (text === 'false' || text === '0') return false
    throw new LinkspanError('invalid-request', `Expected "${name}" to be true or false, got ${JSON.stringify(text)}`)
  }

  /** Aborted when the client goes away before it was answered. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = new AbortController()
      const { raw } = this.#reply
      const left = () => controller.abort(new LinkspanError('closed', 'The client went away'))
      if (raw.destroyed) left()
      else raw.once('close', () => !raw.writableFinished && left())
      this.#controller = controller
    }
    return this.#controller.signal
  }

  get requestor(): Requestor {
    return { ...usernameOf(this.subject), address: this.caller.address }
  }

  judge(entitlement: Entitlement, entity: EntityRef = serverRef): Judgement {
    checkEntitlement(entity, entitlement)
    return authorize(this.snapshot, this.subject, entitlement, entity)
  }

  may(entitlement: Entitlement, entity: EntityRef = serverRef): boolean {
    return this.judge(entitlement, entity).allowed
  }

  mayView(entity: EntityRef): boolean {
    return mayView(this.snapshot, this.subject, entity)
  }

  /** Throws `not-trusted`, `not-permitted` or, for what the caller may not even see, `not-found`. The audit is told. */
  require(entitlement: Entitlement, entity: EntityRef = serverRef): void {
    this.requireTrusted()
    const judgement = this.judge(entitlement, entity)
    if (judgement.allowed) return
    const url = entityUrl(entity)
    this.refused(`authz_fail:${entitlement}:${url}`, `${entitlement} on ${url} was refused`)
    if (!judgement.visible) throw new LinkspanError('not-found', 'Not Found', { details: { masked: true } })
    const what = entity.type === 'server' ? 'the server' : `${entity.type.replaceAll('_', ' ')} "${entity.name}"`
    throw new LinkspanError('not-permitted', `This needs "${entitlement}" on ${what}: ask for a group that has it`)
  }

  /** Throws `not-trusted` for strangers. */
  requireTrusted(): void {
    if (this.subject.kind !== 'untrusted') return
    const presented = this.caller.fingerprint !== undefined
    if (presented) this.refused('authn_login_fail:tls', 'A certificate that is not known was presented')
    const reason = presented ? 'the certificate that was presented is not known here' : 'no certificate was presented'
    throw new LinkspanError('not-trusted', `Not trusted, ${reason}: use a token first`)
  }

  /** What `work` refuses a token with is told to the audit: somebody may be guessing. */
  async auditToken<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work
    } catch (error) {
      if (isLinkspanError(error, 'token-unknown', 'token-expired', 'token-type')) {
        this.refused('authn_login_fail:token', error.message)
      }
      throw error
    }
  }

  refused(name: string, description: string): void {
    const short = (text: string) => text.slice(0, auditedCharactersMax)
    this.#onRefused({ name: short(name), level: 'warning', description: short(description), ...this.auditFacts })
  }

  /** What security events say of the request. */
  get auditFacts(): Pick<SecurityMetadata, 'request_path' | 'request_method' | 'requestor'> {
    return {
      request_path: this.path.slice(0, auditedCharactersMax),
      request_method: this.method,
      requestor: { ...this.requestor, user_agent: this.userAgent.slice(0, auditedCharactersMax) },
    }
  }
}
