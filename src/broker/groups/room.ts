import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { BrokerConfig } from '../config.ts'
import type { Group } from './group.ts'
import type { MemberUsage } from './limits.ts'
import type { Timers } from './timers.ts'

/** What is around a group: shared by all of them. */
export interface GroupRoom {
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly log: Log
  readonly timers: Timers
  readonly usage: MemberUsage
  /** Stores the group as it is now; false when that failed, which is logged. */
  save(group: Group): Promise<boolean>
}
