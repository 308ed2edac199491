import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LinkspanError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Broker } from '../broker/broker.ts'
import { startBroker } from '../broker/broker.ts'
import { type BrokerSettings, defaultBrokerSettings, readBrokerConfig } from '../broker/broker-config-file.ts'
import type { ListenerSecurity } from '../broker/config.ts'
import { checkExposure } from '../broker/server/exposure.ts'
import type { HostIdentity, KeyPair } from '../identity/keys.ts'
import { parseClientConfig, readClientConfig } from '../kafka/config-file.ts'
import { pinKafkaCluster } from '../link/cluster-facts.ts'
import { formatAddress } from '../transport/address.ts'
import type { DirectSpec } from '../transport/spec.ts'
import type { BrokerSetting, DaemonConfig, KafkaConfig } from './config.ts'
import type { Foundation } from './foundation.ts'

/** How the Kafka that is fronted is reached: by us, and for those who read through the tunnel. */
export interface KafkaSpecs {
  own: DirectSpec
  gateway: DirectSpec
}

/** What is to be fronted, read and checked before anything is opened. */
export type KafkaPlan =
  | { kind: 'remote'; specs: KafkaSpecs }
  | { kind: 'embedded'; setting: BrokerSetting; settings: BrokerSettings }

export interface KafkaFront extends KafkaSpecs {
  /** Pinned; undefined as long as a Kafka elsewhere has never answered. */
  kafkaClusterId: string | undefined
  broker?: Broker
}

const folderName = 'broker'
const socketName = 'kafka.socket'
/** For the requests that clients still have under way when everything else has stopped. */
const graceMs = 1000

/** Throws `invalid-config`, which names the file's key. */
export async function planKafka({ kafka, broker }: DaemonConfig, log: Log): Promise<KafkaPlan> {
  if (kafka) return { kind: 'remote', specs: await readKafkaSpecs(kafka, log) }
  const setting = broker as BrokerSetting
  const settings = setting.configFile ? await readBrokerConfig(setting.configFile) : defaultBrokerSettings
  checkExposure(setting.listen, settings.security.protocol)
  return { kind: 'embedded', setting, settings }
}

/** Starts the embedded broker where nothing else is to be fronted; `stack` ends it last of all that uses it. */
export async function openKafkaFront(
  foundation: Foundation,
  stack: AsyncDisposableStack,
  onFailure: (error: LinkspanError) => void,
): Promise<KafkaFront> {
  const { kafka: plan, facts, store } = foundation
  if (plan.kind === 'remote') return { ...plan.specs, kafkaClusterId: facts.kafkaClusterId }
  const broker = await openBroker(foundation, plan, onFailure)
  stack.adopt(broker, (open) => open.stop(graceMs))
  const { clusterId, advertised, socketPath } = broker
  if (facts.kafkaClusterId !== undefined && facts.kafkaClusterId !== clusterId) throw otherKafka(facts.kafkaClusterId)
  await pinKafkaCluster(store, clusterId)
  foundation.log.info(
    { kafka: formatAddress(broker.address), kafkaClusterId: clusterId },
    'The embedded broker listens',
  )
  const spec = { reach: 'kafka' as const, bootstrap: [advertised], socketPath }
  return {
    own: { ...spec, clientId: 'linkspan' },
    gateway: { ...spec, clientId: 'linkspan-gateway' },
    kafkaClusterId: clusterId,
    broker,
  }
}

async function openBroker(
  { config, log, access, facts, identity }: Foundation,
  { setting, settings }: Extract<KafkaPlan, { kind: 'embedded' }>,
  onFailure: (error: LinkspanError) => void,
): Promise<Broker> {
  const folder = join(config.stateDir, folderName)
  // Before a new broker is made beside state that is about another Kafka.
  const isMissing = facts.kafkaClusterId !== undefined && !(await isThere(folder))
  // No backup holds the records of the embedded broker: a restored one begins empty, as the cluster that it was.
  if (isMissing && !facts.restored) throw otherKafka(facts.kafkaClusterId!)
  const { security, config: brokerConfig, topicDefaults } = settings
  return await startBroker({
    folder,
    ...(isMissing ? { clusterId: facts.kafkaClusterId } : {}),
    listen: setting.listen,
    advertise: setting.advertise,
    security: withCertificate(security, identity),
    config: brokerConfig,
    topicDefaults,
    socketPath: join(config.stateDir, socketName),
    snapshot: access.snapshot,
    log: { level: config.logLevel, format: config.logFormat },
    onFailure: (error) => {
      log.error({ err: error }, 'The embedded broker is gone')
      onFailure(error)
    },
  })
}

/** The cluster's own certificate, unless the operator gave one for the broker. */
function withCertificate(security: ListenerSecurity, { cluster }: HostIdentity): ListenerSecurity {
  if (!security.protocol.endsWith('SSL')) return security
  const { certificatePem, privateKeyPem } = cluster
  return { tls: { certificatePem, privateKeyPem }, ...security }
}

/** After the cluster's certificate was rotated; a broker with one of its own keeps that. */
export async function serveCertificate(
  { kafka: plan }: Foundation,
  { broker }: KafkaFront,
  { certificatePem, privateKeyPem }: KeyPair,
): Promise<void> {
  if (plan.kind !== 'embedded' || plan.settings.security.tls) return
  await broker?.useCertificate({ certificatePem, privateKeyPem })
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}

function otherKafka(kafkaClusterId: string): LinkspanError {
  const problem = `This state is that of the Kafka cluster ${kafkaClusterId}, which is not the embedded broker`
  const wayOut = 'give its bootstrap servers with --kafka HOST:PORT,…, or another --state-dir'
  return new LinkspanError('destination-changed', `${problem}: ${wayOut}`)
}

async function readKafkaSpecs(config: KafkaConfig, log: Log): Promise<KafkaSpecs> {
  const { bootstrap, configFile, gatewayConfigFile } = config
  const own = await readSpec(bootstrap, configFile, 'linkspan', log)
  const gateway = await readSpec(bootstrap, gatewayConfigFile ?? configFile, 'linkspan-gateway', log)
  return { own, gateway }
}

async function readSpec(bootstrap: string, file: string | undefined, clientId: string, log: Log): Promise<DirectSpec> {
  if (file === undefined) {
    const { spec } = await parseClientConfig('', { bootstrap, clientId }, () => Promise.resolve(''))
    return spec
  }
  const { spec, ignored } = await readClientConfig(file, { bootstrap, clientId })
  if (ignored.length > 0) log.info({ file, keys: ignored }, 'Keys of the Kafka config that mean nothing here')
  return spec
}
