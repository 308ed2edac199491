import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { EventBus } from '../events/bus.ts'
import type { KafkaCluster } from '../kafka/cluster.ts'
import type { Links } from '../link/links.ts'
import type { ClusterSpec } from '../transport/spec.ts'
import type { MirrorBook } from './book.ts'
import type { LagBoard } from './lag-board.ts'
import type { PumpClient } from './pump/pump-client.ts'
import type { PumpSettings } from './pump/settings.ts'

/** What mirrors need of the room of links. */
export type MirrorLinks = Pick<
  Links,
  | 'list'
  | 'get'
  | 'byId'
  | 'require'
  | 'config'
  | 'source'
  | 'askPeer'
  | 'setRemoteKafkaClusterId'
  | 'onChange'
  | 'usedBy'
  | 'beforeForcedDelete'
>

/** What the parts of this room share. */
export interface MirrorContext {
  book: MirrorBook
  lags: LagBoard
  links: MirrorLinks
  bus: EventBus
  clock: Clock
  log: Log
  pump: PumpClient
  /** The Kafka that this daemon fronts: where mirrors are. */
  destination: KafkaCluster
  destinationSpec: ClusterSpec
  pumpSettings: Partial<PumpSettings>
  /** Aborted when the daemon stops. */
  stopping: AbortSignal
}

/** Where one partition of a mirror is at the destination, for admin calls. */
export function partitionsOf(topic: string, count: number): { topic: string; partition: number }[] {
  return Array.from({ length: count }, (_, partition) => ({ topic, partition }))
}
