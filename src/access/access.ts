import type { X509Certificate } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { EntityRef } from '../contract/entities.ts'
import { fingerprintOf, parseCertificate } from '../identity/certificate.ts'
import type { RowChange } from '../store/row-log.ts'
import { type CommittedChange, changesOf, type RowsView, type TypedChange } from '../store/rows.ts'
import type { Outcome, Store } from '../store/store.ts'
import { AccessHooks } from './hooks.ts'
import {
  activateIdentityChanges,
  deleteIdentityChanges,
  expiredToken,
  findPending,
  isPendingExpired,
  listIdentities,
} from './identities.ts'
import {
  type GroupRow,
  groupTable,
  type IdentityCertificate,
  type IdentityKind,
  type IdentityRow,
  identityTable,
} from './rows.ts'
import { type AccessSnapshot, accessSnapshot } from './snapshot.ts'
import { IdentityUses } from './uses.ts'

export interface AccessOptions {
  store: Store
  clock: Clock
  log: Log
}

/** `revoked`: fingerprints that were known before and are not any more; what they have open is to be cut. */
export type AccessListener = (snapshot: AccessSnapshot, revoked: readonly string[]) => void

/** A token that nobody used in time: its identity was deleted, and `gone` with it. */
export type ExpiryListener = (identity: IdentityRow, gone: readonly EntityRef[]) => void

/** Identities, groups and permissions: their commands, and the snapshot by which everything is judged. */
export class Access implements Disposable {
  readonly hooks = new AccessHooks()
  readonly uses: IdentityUses
  readonly #store: Store
  readonly #clock: Clock
  readonly #log: Log
  readonly #listeners = new Set<AccessListener>()
  readonly #expiryListeners = new Set<ExpiryListener>()
  readonly #unsubscribe: () => void
  /** As committed: the store's rows also show what is still on its way to the disk. */
  readonly #identities: Map<string, IdentityRow>
  readonly #groups: Map<string, GroupRow>
  #snapshot: AccessSnapshot

  constructor(options: AccessOptions) {
    this.#store = options.store
    this.#clock = options.clock
    this.#log = options.log
    this.uses = new IdentityUses({ ...options, hooks: this.hooks })
    const { rows } = options.store
    this.#identities = new Map(rows.list(identityTable).map(({ key, row }) => [key, row]))
    this.#groups = new Map(rows.list(groupTable).map(({ key, row }) => [key, row]))
    this.#snapshot = accessSnapshot(this.#identities.values(), this.#groups.values())
    this.#unsubscribe = options.store.onCommitted((changes) => this.#committed(changes))
  }

  get rows(): RowsView {
    return this.#store.rows
  }

  get clock(): Clock {
    return this.#clock
  }

  /** Of what is committed; another object after every change. */
  get snapshot(): AccessSnapshot {
    return this.#snapshot
  }

  /** Runs a command made of the `…Changes` functions of this room and of others, as one batch. */
  execute<Result>(name: string, command: (rows: RowsView) => Outcome<Result>): Promise<Result> {
    return this.#store.execute(name, command)
  }

  /** Called after every commit that changed who may do what, before the command that did it resolves. */
  onChange(listener: AccessListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Nobody asked for such a deletion, so nobody else tells of it. */
  onExpired(listener: ExpiryListener): () => void {
    this.#expiryListeners.add(listener)
    return () => this.#expiryListeners.delete(listener)
  }

  /** Whether the secret would be accepted now: the same errors as `activate`, and nothing is spent. */
  checkSecret(secret: string, kind: IdentityKind): IdentityRow {
    const pending = findPending(this.rows, secret, kind)
    if (isPendingExpired(pending, this.#clock.wallMs())) throw expiredToken()
    return pending
  }

  /**
   * Spends a token. Of several callers with one secret exactly one succeeds. An expired pending identity is deleted,
   * with what hangs on it. `also`: changes of the same batch, which may not be about groups. Throws `token-unknown`,
   * `token-type`, `token-expired`, `already-exists`, and what `also` throws; then the token is not spent.
   */
  async activate(
    secret: string,
    kind: IdentityKind,
    certificate: IdentityCertificate,
    also: (rows: RowsView, pending: IdentityRow, activated: IdentityRow) => RowChange[] = () => [],
  ): Promise<IdentityRow> {
    const nowMs = this.#clock.wallMs()
    const { activated, expired } = await this.execute('activate identity', (rows): Outcome<Spending> => {
      const pending = findPending(rows, secret, kind)
      if (isPendingExpired(pending, nowMs)) {
        const { changes, expired } = this.#expire(rows, pending)
        return { changes, result: { expired } }
      }
      const { changes, identity } = activateIdentityChanges(rows, this.hooks, { secret, kind, certificate, nowMs })
      return { changes: [...changes, ...also(rows, pending, identity)], result: { activated: identity } }
    })
    if (expired) this.#tellExpired(expired)
    if (!activated) throw expiredToken()
    return activated
  }

  /** Deletes pending identities whose token has expired; returns them. To be called now and then. */
  async pruneExpired(): Promise<IdentityRow[]> {
    const expired = (rows: RowsView) => {
      const nowMs = this.#clock.wallMs()
      return listIdentities(rows).filter((identity) => isPendingExpired(identity, nowMs))
    }
    const pruned: IdentityRow[] = []
    // One by one: what hangs on them may be in the same rows.
    for (const { id } of expired(this.rows)) {
      const found = await this.execute('prune expired token', (rows): Outcome<Expired | undefined> => {
        const still = expired(rows).find((identity) => identity.id === id)
        if (!still) return { changes: [], result: undefined }
        const { changes, expired: gone } = this.#expire(rows, still)
        return { changes, result: gone }
      })
      if (!found) continue
      this.#tellExpired(found)
      pruned.push(found.identity)
    }
    if (pruned.length > 0) this.#log.info({ count: pruned.length }, 'Expired tokens were deleted')
    return pruned
  }

  [Symbol.dispose](): void {
    this.#unsubscribe()
    this.#listeners.clear()
    this.#expiryListeners.clear()
  }

  #expire(rows: RowsView, identity: IdentityRow): { changes: RowChange[]; expired: Expired } {
    const { gone } = this.hooks.cascadeOf(rows, identity)
    return { changes: deleteIdentityChanges(rows, this.hooks, identity.id), expired: { identity, gone } }
  }

  #tellExpired({ identity, gone }: Expired): void {
    for (const listener of this.#expiryListeners) listener(identity, gone)
  }

  #committed(changes: readonly CommittedChange[]): void {
    const identities = changesOf(identityTable, changes)
    const groups = changesOf(groupTable, changes)
    if (identities.length === 0 && groups.length === 0) return
    follow(this.#identities, identities)
    follow(this.#groups, groups)
    const before = this.#snapshot
    this.#snapshot = accessSnapshot(this.#identities.values(), this.#groups.values())
    const known = new Set(this.#snapshot.identities.map(({ fingerprint }) => fingerprint))
    const revoked = before.identities.map(({ fingerprint }) => fingerprint).filter((one) => !known.has(one))
    for (const listener of this.#listeners) listener(this.#snapshot, revoked)
  }
}

interface Expired {
  identity: IdentityRow
  gone: readonly EntityRef[]
}

interface Spending {
  activated?: IdentityRow
  expired?: Expired
}

function follow<Row>(rows: Map<string, Row>, changes: readonly TypedChange<Row>[]): void {
  for (const { key, after } of changes) {
    if (after === undefined) rows.delete(key)
    else rows.set(key, after)
  }
}

/** What is kept of a certificate that was given as text. Throws `invalid-request` when it cannot be used now. */
export function readIdentityCertificate(text: string, clock: Clock): IdentityCertificate {
  return certificateFacts(parseCertificate(text, clock))
}

function certificateFacts(certificate: X509Certificate): IdentityCertificate {
  return {
    pem: certificate.toString(),
    fingerprint: fingerprintOf(certificate),
    validFromMs: certificate.validFromDate.getTime(),
    validToMs: certificate.validToDate.getTime(),
  }
}
