import { join } from 'node:path'
import { type Api, createApi } from '../api/api.ts'
import type { LinkRooms } from '../api/v1/cluster-link-rooms.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import type { LinkspanError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { type Gateway, startGateway } from '../gateway/gateway.ts'
import { createIntake } from '../gateway/http-intake.ts'
import { openCluster } from '../kafka/open-cluster.ts'
import { Links } from '../link/links.ts'
import type { CertificateRotation } from '../link/rotation.ts'
import type { SupersededWatch } from '../link/superseded.ts'
import { type Mirrors, openMirrors } from '../mirror/mirrors.ts'
import { formatAddress, type HostPort } from '../transport/address.ts'
import { everyAddress, reachableAddresses } from './addresses.ts'
import { AdminSocket } from './admin-socket.ts'
import { type BackupParts, openBackups } from './backups.ts'
import type { DaemonConfig } from './config.ts'
import { daemonDialects } from './dialects.ts'
import { tellOfExpiredTokens } from './expired-tokens.ts'
import { warnOfExpiry } from './expiry-warnings.ts'
import { type Foundation, layFoundation } from './foundation.ts'
import { publishGatewayAudit } from './gateway-audit.ts'
import { GatewaySync } from './gateway-sync.ts'
import { type KafkaFront, openKafkaFront } from './kafka-front.ts'
import { KafkaWatch } from './kafka-watch.ts'
import { warnOfFailedMirrors } from './mirror-warnings.ts'
import { type Ready, ReadyFile } from './ready.ts'
import { beginLife, openRotation, watchSuperseded } from './rotation.ts'
import { Schedule } from './schedule.ts'
import { version } from './version.ts'

export interface DaemonOptions {
  log: Log
  clock?: Clock
  /** The TLS port or the embedded broker is gone: the daemon is of no use any more. */
  onFailure: (error: LinkspanError) => void
}

const usesIntervalMs = 60_000
const pruneIntervalMs = 3_600_000
const refreshIntervalMs = 86_400_000
/** A host that was thought to be lost is to notice soon that another one took its place. */
const supersededIntervalMs = 300_000
/** How soon a backup is pulled that is due. */
const pullIntervalMs = 15_000
const announceIntervalMs = 5000
const lookAroundIntervalMs = 300_000
/** For requests in flight; pumps have their time after it, and all of the stop is to be done within ten seconds. */
const graceMs = 4000

/** One running daemon. */
export class Daemon implements AsyncDisposable {
  readonly ready: Ready
  readonly #parts: Parts
  #stopping: Promise<void> | undefined

  constructor(parts: Parts, ready: Ready) {
    this.#parts = parts
    this.ready = ready
  }

  /** Requests in flight are answered first; idle connections go at once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #stop(): Promise<void> {
    const { readyFile, admin, gateway, api, foundation, stack } = this.#parts
    await readyFile.remove()
    announce(foundation, 'sys_shutdown', 'The daemon stops')
    admin.close()
    await Promise.all([gateway.stop(graceMs), api.close(graceMs)])
    await stack[Symbol.asyncDispose]()
  }
}

interface Parts extends BackupParts {
  foundation: Foundation
  front: KafkaFront
  links: Links
  mirrors: Mirrors
  watch: KafkaWatch
  sync: GatewaySync
  api: Api
  gateway: Gateway
  admin: AdminSocket
  readyFile: ReadyFile
  stack: AsyncDisposableStack
}

/** The only place where everything is put together. What was opened is closed again when the start fails. */
export async function startDaemon(config: DaemonConfig, options: DaemonOptions): Promise<Daemon> {
  await using stack = new AsyncDisposableStack()
  const { clock = systemClock } = options
  const foundation = await layFoundation(config, { clock, log: options.log }, stack)
  const { log } = foundation
  const readyFile = new ReadyFile(config.stateDir)
  await readyFile.clear()

  let gateway: Gateway | undefined
  const listening = () => gateway?.address ?? config.listen
  let rewriteReady = () => {}
  const addresses = () => (gateway ? reachableAddresses(gateway.address, config.advertise) : [])
  const every = () => (gateway ? everyAddress(gateway.address, config.advertise) : [])
  const { store, access, sealer, identity, warnings } = foundation
  const front = await openKafkaFront(foundation, stack, options.onFailure)
  const { kafkaClusterId } = front
  const context = { store, access, sealer, identity, clock, log, addresses, everyAddress: every, warnings }
  const links = stack.use(new Links(context))
  const kafka = stack.use(openCluster(front.own, { log, clock, clusterId: kafkaClusterId }))
  const watch = stack.use(new KafkaWatch({ cluster: kafka, store, warnings: foundation.warnings, log, kafkaClusterId }))
  // The embedded broker has told its id already.
  const asked = front.broker ? undefined : watch.start()
  const sync = stack.use(new GatewaySync({ access, links, log, broker: front.broker }))
  stack.defer(warnOfFailedMirrors(store, foundation.warnings))
  stack.defer(tellOfExpiredTokens(access, foundation.bus))
  const mirrors = stack.use(openDaemonMirrors(foundation, front, links))
  const rotation = stack.use(
    openRotation(foundation, { context, links, front, gateway: () => gateway, onServed: () => rewriteReady() }),
  )
  const superseded = watchSuperseded(foundation, context)
  const { backups, puller } = openBackups(foundation, { context, links })
  stack.use(puller)
  const own = { rotation, superseded, backups, puller }
  const api = await createDaemonApi(foundation, { links, mirrors, watch, sync, listening, addresses, ...own })
  stack.use(api)
  const intakePath = join(config.stateDir, 'http.socket')
  stack.use(
    await createIntake({ path: intakePath, onConnection: (socket, caller) => api.handleConnection(socket, caller) }),
  )
  gateway = stack.use(await openGateway(foundation, { front, sync, intakePath, onFailure: options.onFailure }))
  await sync.attach(gateway)
  const admin = stack.use(new AdminSocket(config.stateDir, (socket, caller) => api.handleConnection(socket, caller)))
  await admin.listen()
  const parts: Parts = {
    ...{ foundation, front, links, mirrors, backups, puller },
    ...{ watch, sync, api, gateway, admin, readyFile, stack },
  }
  await asked
  rewriteReady = () => {
    readyFile.write(readyOf(parts)).catch((err) => log.error({ err }, 'ready.json could not be written'))
  }
  watch.whenKnown(rewriteReady)
  await beginLife(foundation, rotation)
  links.recover()
  mirrors.start()
  await lookAtCertificates(foundation)
  startSchedule(parts, superseded)
  const ready = readyOf(parts)
  await readyFile.write(ready)
  announce(foundation, 'sys_startup', 'The daemon has started')
  return new Daemon({ ...parts, stack: stack.move() }, ready)
}

/** The mirrors that links carry; they have a client of their own for the Kafka that is fronted. */
function openDaemonMirrors({ config, store, bus, clock, log }: Foundation, front: KafkaFront, links: Links): Mirrors {
  const { logLevel, logFormat } = config
  const { own: destination, kafkaClusterId } = front
  return openMirrors({ store, links, bus, clock, log, destination, kafkaClusterId, logLevel, logFormat })
}

interface ApiParts extends Pick<Parts, 'links' | 'mirrors' | 'watch' | 'sync' | 'backups' | 'puller'> {
  listening: () => HostPort
  addresses: () => string[]
  rotation: CertificateRotation
  superseded: SupersededWatch
}

function createDaemonApi(foundation: Foundation, parts: ApiParts): Promise<Api> {
  const { config, clock, log, access, bus, operations, warnings, identity, facts } = foundation
  const { links, mirrors, watch, sync, listening, addresses, rotation, superseded, backups, puller } = parts
  const rooms: LinkRooms = {
    access,
    bus,
    operations,
    warnings,
    clock,
    log,
    links,
    server: {
      name: config.name,
      version,
      certificatePem: () => identity.cluster.certificatePem,
      fingerprint: () => identity.clusterFingerprint,
      addresses,
      clusterId: facts.clusterId,
      kafkaClusterId: () => watch.kafkaClusterId,
      supersededBy: () => superseded.generation,
      pinnedConfig: () => ({
        'core.https_address': formatAddress(listening()),
        'cluster.https_address': addresses()[0] ?? formatAddress(listening()),
        'volatile.uuid': facts.clusterId,
      }),
    },
    entityNames: { cluster_link: () => links.list().map(({ name }) => name), instance: () => [config.name] },
  }
  const apiReference: { api?: Api } = {}
  const dialects = daemonDialects({
    ...rooms,
    ...{ mirrors, rotation, backups, puller },
    settling: (routes) => sync.settling(routes),
    api: () => apiReference.api!,
  })
  const onSecurityEvent = bus.security.bind(bus)
  return createApi({ access, clock, log, dialects, onSecurityEvent, version }).then((api) => {
    apiReference.api = api
    return api
  })
}

function openGateway(
  { config, log, identity, access, bus }: Foundation,
  parts: { front: KafkaFront; sync: GatewaySync; intakePath: string; onFailure: (error: LinkspanError) => void },
): Promise<Gateway> {
  return startGateway({
    listen: config.listen,
    certificate: identity.cluster.certificatePem,
    key: identity.cluster.privateKeyPem,
    internalSocketPath: parts.intakePath,
    snapshot: parts.sync.snapshot(),
    kafkaSpec: parts.front.gateway,
    log: { level: config.logLevel, format: config.logFormat },
    onAudit: (event) => {
      if (event.name === 'tunnel-opened' && event.fingerprint) access.uses.touch(event.fingerprint)
      publishGatewayAudit(bus, event)
    },
    onFailure: (error) => {
      log.error({ err: error }, 'The TLS port is gone')
      parts.onFailure(error)
    },
  })
}

function startSchedule({ foundation, links, backups, puller, stack }: Parts, superseded: SupersededWatch): void {
  const schedule = stack.use(new Schedule(foundation.log))
  schedule.every(usesIntervalMs, 'note uses of identities', () => foundation.access.uses.flush())
  schedule.every(pruneIntervalMs, 'prune expired tokens', () => foundation.access.pruneExpired())
  schedule.every(pruneIntervalMs, 'prune warnings', () => foundation.warnings.prune())
  schedule.every(pruneIntervalMs, 'look at certificates', () => lookAtCertificates(foundation))
  schedule.every(refreshIntervalMs, 'refresh addresses', () => links.refreshAddresses())
  schedule.soonAndEvery(supersededIntervalMs, 'ask whether this host was replaced', (signal) => superseded.look(signal))
  schedule.every(pruneIntervalMs, 'delete expired backups', () => backups.prune())
  schedule.every(pullIntervalMs, 'pull backups', () => puller.pullDue())
  schedule.every(pruneIntervalMs, 'end certificate announcements', () => links.endAnnouncements())
  schedule.every(announceIntervalMs, 'announce addresses', () => links.announceAddresses())
  schedule.every(lookAroundIntervalMs, 'look at linked clusters', () => links.lookAround())
}

function lookAtCertificates({ access, warnings, clock, identity }: Foundation): Promise<void> {
  return warnOfExpiry({ rows: access.rows, warnings, clock, ownCertificate: identity.cluster.certificatePem })
}

function readyOf({ foundation, front, gateway, watch }: Parts): Ready {
  const { identity, facts } = foundation
  return {
    pid: process.pid,
    version,
    https: formatAddress(gateway.address),
    kafka: formatAddress(front.own.bootstrap[0]!),
    fingerprint: identity.clusterFingerprint,
    clusterId: facts.clusterId,
    kafkaClusterId: watch.kafkaClusterId,
  }
}

function announce({ bus }: Foundation, name: string, description: string): void {
  bus.security({ name, level: 'info', description })
}
