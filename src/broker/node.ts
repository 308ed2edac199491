import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { HostPort } from '../transport/address.ts'
import type { Catalog } from './catalog/catalog.ts'
import type { BrokerConfig } from './config.ts'
import type { GroupCoordinator } from './groups/coordinator.ts'
import type { Logs } from './log/types.ts'
import type { ProducerIds } from './producer-ids.ts'

/** What the handlers work with: this one broker. */
export interface BrokerNode {
  readonly config: BrokerConfig
  /** Kafka's cluster id: base64url of a UUID, 22 characters. */
  readonly clusterId: string
  /** Where clients find this broker, as Metadata tells it. */
  readonly advertised: () => HostPort
  readonly catalog: Catalog
  readonly logs: Logs
  readonly groups: GroupCoordinator
  readonly producerIds: ProducerIds
  readonly clock: Clock
  readonly log: Log
}
