import { Access } from '../access/access.ts'
import { accessTables } from '../access/rows.ts'
import { serverConfigTable } from '../access/server-config.ts'
import { identityUseTable } from '../access/uses.ts'
import { v1Statuses } from '../api/v1/errors.ts'
import type { Clock } from '../base/clock.ts'
import { isLinkspanError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { EventBus } from '../events/bus.ts'
import { Operations } from '../events/operations.ts'
import { publishLog } from '../events/publish-log.ts'
import { Warnings, warningTable } from '../events/warnings.ts'
import { type IdentityOptions, loadHostIdentity, type OwnIdentity } from '../identity/keys.ts'
import { openSealer, type Sealer } from '../identity/sealing.ts'
import { type ClusterFactsRow, clusterFactsTable, loadClusterFacts } from '../link/cluster-facts.ts'
import { rotationTable } from '../link/rotation-rows.ts'
import { linkTable } from '../link/rows.ts'
import { successionTable } from '../link/succession-rows.ts'
import { fenceTable, mirrorTable, syncedGroupTable } from '../mirror/rows.ts'
import { openStore, type Store } from '../store/store.ts'
import type { Table } from '../store/table.ts'
import { parseAddress } from '../transport/address.ts'
import type { DaemonConfig } from './config.ts'
import { type KafkaPlan, planKafka } from './kafka-front.ts'

/** What everything else stands on. */
export interface Foundation {
  config: DaemonConfig
  clock: Clock
  log: Log
  store: Store
  identity: OwnIdentity
  /** What is in the certificates that this host makes for itself. */
  naming: IdentityOptions
  sealer: Sealer
  facts: ClusterFactsRow
  access: Access
  bus: EventBus
  operations: Operations
  warnings: Warnings
  /** What is to be fronted; see `openKafkaFront`. */
  kafka: KafkaPlan
}

/** Tables whose rows are checked before anything starts. */
const tables: readonly Table<object>[] = [
  ...accessTables,
  identityUseTable,
  serverConfigTable,
  linkTable,
  mirrorTable,
  syncedGroupTable,
  fenceTable,
  rotationTable,
  successionTable,
  clusterFactsTable,
  warningTable,
]

/** State directory and its lock, keys, who may do what, events. `stack` takes what is opened. */
export async function layFoundation(
  config: DaemonConfig,
  { clock, log: plainLog }: { clock: Clock; log: Log },
  stack: AsyncDisposableStack,
): Promise<Foundation> {
  // What it logs of itself is no event.
  const bus = stack.use(new EventBus({ clock, log: plainLog }))
  const log = publishLog(plainLog, bus)
  const kafka = await planKafka(config, log)
  const store = stack.use(await openStore({ directory: config.stateDir, log, tables }))
  const naming = {
    directory: config.stateDir,
    name: config.name,
    hostNames: [config.name, ...advertisedHosts(config)],
    addresses: advertisedHosts(config),
    clock,
  }
  const identity = await loadHostIdentity(naming)
  const sealer = await openSealer(config.stateDir)
  const facts = await loadClusterFacts(store)
  const access = stack.use(new Access({ store, clock, log }))
  stack.defer(() => access.uses.flush())
  const statusOf = (error: unknown) => (isLinkspanError(error) ? v1Statuses[error.code] : 500)
  const operations = stack.use(new Operations({ clock, log, bus, statusOf }))
  const warnings = new Warnings({ store, clock, log })
  return { config, clock, log, store, identity, naming, sealer, facts, access, bus, operations, warnings, kafka }
}

function advertisedHosts({ advertise, listen, broker }: DaemonConfig): string[] {
  const ofBroker = [broker?.advertise, broker?.listen].flatMap((address) => address?.host ?? [])
  return [...new Set([...advertise.map((address) => parseAddress(address).host), listen.host, ...ofBroker])]
}
