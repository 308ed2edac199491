import { authorize } from '../../access/authorize.ts'
import {
  type AccessSnapshot,
  type SnapshotIdentity,
  type Subject,
  subjectOfFingerprint,
} from '../../access/snapshot.ts'
import type { Clock } from '../../base/clock.ts'
import type { Fingerprint } from '../../base/ids.ts'
import type { Entitlement, EntityRef } from '../../contract/entities.ts'

/** Who is known here by a certificate and may do what, by the newest snapshot. */
export class AccessView {
  readonly #clock: Clock
  #snapshot: AccessSnapshot

  constructor(snapshot: AccessSnapshot, clock: Clock) {
    this.#snapshot = snapshot
    this.#clock = clock
  }

  replace(snapshot: AccessSnapshot): void {
    this.#snapshot = snapshot
  }

  /** Undefined: not known, not known any more, or its certificate has run out. */
  identity(fingerprint: Fingerprint): SnapshotIdentity | undefined {
    const subject = this.#subject(fingerprint)
    return subject.kind === 'identity' ? subject.identity : undefined
  }

  may(fingerprint: Fingerprint, entitlement: Entitlement, entity: EntityRef): boolean {
    const subject = this.#subject(fingerprint)
    return subject.kind === 'identity' && authorize(this.#snapshot, subject, entitlement, entity).allowed
  }

  #subject(fingerprint: Fingerprint): Subject {
    return subjectOfFingerprint(this.#snapshot, fingerprint, this.#clock)
  }
}
