import type { EntityRef, EntityType } from '../contract/entities.ts'
import type { RowChange } from '../store/row-log.ts'
import type { RowsView } from '../store/rows.ts'
import type { IdentityRow } from './rows.ts'

/** What goes along with an identity: row changes, and entities that permissions must not name any more. */
export interface Cascade {
  changes: RowChange[]
  gone: EntityRef[]
}

/**
 * What rooms above this one add to its rules, registered once when the daemon is put together. All of it is pure: it
 * looks at rows and says what should change.
 */
export class AccessHooks {
  readonly #identityDelete: ((rows: RowsView, identity: IdentityRow) => Cascade)[] = []
  readonly #identityReplace: ((rows: RowsView, before: IdentityRow, after: IdentityRow) => RowChange[])[] = []
  readonly #identityAnnounce: ((rows: RowsView, identity: IdentityRow) => RowChange[])[] = []
  readonly #certificateHolders: ((rows: RowsView, fingerprint: string) => string | undefined)[] = []
  readonly #existence = new Map<EntityType, (rows: RowsView, name: string) => boolean>()

  /** A link hangs on its identity: whoever deletes the identity deletes the link. */
  onIdentityDelete(contributor: (rows: RowsView, identity: IdentityRow) => Cascade): void {
    this.#identityDelete.push(contributor)
  }

  /** An identity got a certificate, its first or another one: its identifier is a new one from then on. */
  onIdentityReplace(contributor: (rows: RowsView, before: IdentityRow, after: IdentityRow) => RowChange[]): void {
    this.#identityReplace.push(contributor)
  }

  /** An identity has announced another certificate, or one that it had announced is accepted no longer. */
  onIdentityAnnounce(contributor: (rows: RowsView, identity: IdentityRow) => RowChange[]): void {
    this.#identityAnnounce.push(contributor)
  }

  /** A certificate belongs to one thing only. `holder` says in words which, if it has it. */
  onCertificateLookup(holder: (rows: RowsView, fingerprint: string) => string | undefined): void {
    this.#certificateHolders.push(holder)
  }

  /** Permissions on entities of a type with such a check can be granted only if the entity is there. */
  onExistence(type: EntityType, exists: (rows: RowsView, name: string) => boolean): void {
    this.#existence.set(type, exists)
  }

  cascadeOf(rows: RowsView, identity: IdentityRow): Cascade {
    const cascades = this.#identityDelete.map((contributor) => contributor(rows, identity))
    return { changes: cascades.flatMap(({ changes }) => changes), gone: cascades.flatMap(({ gone }) => gone) }
  }

  replacementOf(rows: RowsView, before: IdentityRow, after: IdentityRow): RowChange[] {
    return this.#identityReplace.flatMap((contributor) => contributor(rows, before, after))
  }

  announcementOf(rows: RowsView, identity: IdentityRow): RowChange[] {
    return this.#identityAnnounce.flatMap((contributor) => contributor(rows, identity))
  }

  holderOf(rows: RowsView, fingerprint: string): string | undefined {
    for (const holder of this.#certificateHolders) {
      const found = holder(rows, fingerprint)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** True also for types of which nobody here knows the members: Kafka's topics may be granted before they exist. */
  mayExist(rows: RowsView, ref: EntityRef): boolean {
    return this.#existence.get(ref.type)?.(rows, ref.name) ?? true
  }
}
