import type { Access } from '../access/access.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Warnings } from '../events/warnings.ts'
import type { HostIdentity } from '../identity/keys.ts'
import type { Sealer } from '../identity/sealing.ts'
import type { Store } from '../store/store.ts'
import type { Sightings } from './sightings.ts'

/** What links are made with. */
export interface LinkContext {
  store: Store
  access: Access
  sealer: Sealer
  identity: HostIdentity
  clock: Clock
  log: Log
  /** `host:port` under which others reach our port, now; empty while there is none. */
  addresses: () => string[]
  /** Those, and the ones that only a person knows to be of use: of container bridges and the like. */
  everyAddress?: () => string[]
  /** Where operators look for what is wrong. */
  warnings?: Pick<Warnings, 'raise' | 'resolve'>
  sightings: Sightings
}

/** What is given; the rest `Links` makes. */
export type LinkOptions = Omit<LinkContext, 'sightings'>
