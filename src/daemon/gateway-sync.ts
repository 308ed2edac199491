import type { Access } from '../access/access.ts'
import type { ApiRequest } from '../api/request.ts'
import type { Answer, Route } from '../api/route.ts'
import { explainError } from '../base/errors.ts'
import type { Fingerprint, LinkId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import type { Broker } from '../broker/broker.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { GatewaySnapshot } from '../gateway/tunnel/access-rights.ts'
import type { Links } from '../link/links.ts'

/** Whoever deletes himself is still told so before he is cut off. */
const ownAnswerMs = 250

/**
 * Keeps the idea that the workers of gateway and embedded broker have of who may do what the same as the store's, and
 * cuts who was revoked. Requests that change something are answered once these know of it.
 */
export class GatewaySync implements Disposable {
  readonly #access: Access
  readonly #links: Links
  readonly #log: Log
  readonly #broker: Broker | undefined
  readonly #unsubscribe: (() => void)[]
  /** Fingerprints of callers whose changes are being made, and how many of these. */
  readonly #changing = new Map<string, number>()
  #gateway: Gateway | undefined
  #settled: Promise<void> = Promise.resolve()

  constructor(options: { access: Access; links: Links; log: Log; broker?: Broker | undefined }) {
    this.#broker = options.broker
    this.#access = options.access
    this.#links = options.links
    this.#log = options.log
    this.#unsubscribe = [
      this.#access.onChange((_, revoked) => this.#changed(revoked)),
      this.#links.onChange(() => this.#changed([])),
    ]
  }

  /** What the gateway is to start with. */
  snapshot(): GatewaySnapshot {
    return { access: this.#access.snapshot, links: this.#linkIdentities() }
  }

  /** Whatever changed since its snapshot was taken is sent. */
  async attach(gateway: Gateway): Promise<void> {
    this.#gateway = gateway
    this.#changed([])
    await this.#settled
  }

  /** Resolves when the gateway knows every change that was made until now. */
  async settled(): Promise<void> {
    await this.#settled
  }

  /** Routes that change something wait, before they answer, until the gateway knows. */
  settling(routes: readonly Route[]): Route[] {
    return routes.map((route) => {
      if (route.method === 'GET' || route.method === 'HEAD') return route
      return { ...route, handler: (request) => this.#settleAfter(request, () => route.handler(request)) }
    })
  }

  [Symbol.dispose](): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#gateway = undefined
  }

  async #settleAfter(request: ApiRequest, handle: () => Promise<Answer> | Answer): Promise<Answer> {
    const caller = request.caller.fingerprint ?? ''
    this.#changing.set(caller, (this.#changing.get(caller) ?? 0) + 1)
    try {
      return await handle()
    } finally {
      await this.#settled
      const left = this.#changing.get(caller)! - 1
      if (left > 0) this.#changing.set(caller, left)
      else this.#changing.delete(caller)
    }
  }

  #changed(revoked: readonly Fingerprint[]): void {
    const gateway = this.#gateway
    if (!gateway) return
    const snapshot = this.snapshot()
    const later = revoked.filter((fingerprint) => this.#changing.has(fingerprint))
    const now = revoked.filter((fingerprint) => !later.includes(fingerprint))
    const sent = async () => {
      await gateway.updateAccess(snapshot)
      if (now.length > 0) await gateway.revoke(now)
    }
    // The broker cuts by itself whoever is not in the snapshot any more.
    const told = [sent(), this.#broker?.updateAccess(snapshot.access)]
    const settled = told.map((one) => one?.catch((error: unknown) => this.#failed(error)))
    this.#settled = Promise.all([this.#settled, ...settled]).then(() => {})
    if (later.length === 0) return
    setTimeout(() => void gateway.revoke(later).catch((error) => this.#failed(error)), ownAnswerMs).unref()
  }

  /** A worker that does not answer is on its way out: the daemon ends when it is gone. */
  #failed(error: unknown): void {
    this.#log.error({ reason: explainError(error) }, 'A worker could not be told of a change of rights')
  }

  /** A one-way link's identity has no link here: its own fingerprint then stands for the link's id. */
  #linkIdentities(): GatewaySnapshot['links'] {
    const ids = new Map(this.#links.list().map((link) => [link.identityId, link.id]))
    const identities = this.#access.snapshot.identities.filter(({ kind }) => kind === 'cluster-link')
    return identities.map(({ id, fingerprint }) => ({ fingerprint, linkId: ids.get(id) ?? uuidOf(id) }))
  }
}

function uuidOf(fingerprint: Fingerprint): LinkId {
  return fingerprint.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
