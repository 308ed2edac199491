import type { Clock } from '../base/clock.ts'
import type { Store } from '../store/store.ts'
import { defineTable } from '../store/table.ts'
import type { AccessHooks } from './hooks.ts'
import { identityTable } from './rows.ts'

interface IdentityUseRow {
  lastUsedMs: number
}

/** In rows of their own: a use changes nothing of what an identity is or may do. */
export const identityUseTable = defineTable<IdentityUseRow>('identity-use', 1)

/** When identities were last used: exact while the daemon runs, to the interval of `flush` after it was killed. */
export class IdentityUses {
  readonly #store: Store
  readonly #clock: Clock
  /** Since the last flush. */
  readonly #fresh = new Map<string, number>()

  constructor(options: { store: Store; clock: Clock; hooks: AccessHooks }) {
    this.#store = options.store
    this.#clock = options.clock
    options.hooks.onIdentityDelete((_, { id }) => ({ changes: [identityUseTable.remove(id)], gone: [] }))
    options.hooks.onIdentityReplace((_, before, after) => {
      const lastUsedMs = this.lastUsedMs(before.id)
      if (lastUsedMs === undefined) return []
      return [identityUseTable.remove(before.id), identityUseTable.put(after.id, { lastUsedMs })]
    })
  }

  touch(id: string): void {
    this.#fresh.set(id, this.#clock.wallMs())
  }

  /** Undefined when it was never used. */
  lastUsedMs(id: string): number | undefined {
    return this.#fresh.get(id) ?? this.#store.rows.get(identityUseTable, id)?.lastUsedMs
  }

  /** Writes what is new. To be called now and then, and at the end. */
  async flush(): Promise<void> {
    if (this.#fresh.size === 0) return
    const fresh = [...this.#fresh]
    await this.#store.execute('note uses of identities', (rows) => {
      const known = fresh.filter(([id]) => rows.has(identityTable, id))
      return { changes: known.map(([id, lastUsedMs]) => identityUseTable.put(id, { lastUsedMs })), result: undefined }
    })
    for (const [id, lastUsedMs] of fresh) if (this.#fresh.get(id) === lastUsedMs) this.#fresh.delete(id)
  }
}
