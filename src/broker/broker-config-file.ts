import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { LinkspanError } from '../base/errors.ts'
import { certificatesOf, privateKeyOf } from '../kafka/pem.ts'
import { parseProperties } from '../kafka/properties.ts'
import {
  type BrokerConfig,
  brokerDefaults,
  type ListenerSecurity,
  type SaslMechanism,
  type SecurityProtocol,
  type ServerCertificate,
  saslMechanisms,
  securityProtocols,
  type TopicDefaults,
} from './config.ts'

/** What a `--broker-config` says; a certificate only where it names one of its own. */
export interface BrokerSettings {
  config: BrokerConfig
  security: ListenerSecurity
  topicDefaults: TopicDefaults
}

interface NumberKey {
  name: { [Name in keyof BrokerConfig]: BrokerConfig[Name] extends number ? Name : never }[keyof BrokerConfig]
  min: number
  max: number
  /** From the unit of the key to ours. */
  factor?: number
}

const int32Max = 2 ** 31 - 1
const durationMsMax = 10 * 365 * 86_400_000

/** Apache's key: ours, in the units of the key. */
const numberKeys: Readonly<Record<string, NumberKey>> = {
  'node.id': { name: 'nodeId', min: 0, max: int32Max },
  'num.partitions': { name: 'numPartitions', min: 1, max: 2000 },
  'socket.request.max.bytes': { name: 'requestBytesMax', min: 64 * 1024, max: 1024 ** 3 },
  'fetch.max.bytes': { name: 'fetchBytesMax', min: 1024, max: 1024 ** 3 },
  'producer.id.expiration.ms': { name: 'producerExpirationMs', min: 1, max: durationMsMax },
  'group.initial.rebalance.delay.ms': { name: 'groupInitialRebalanceDelayMs', min: 0, max: 3_600_000 },
  'group.min.session.timeout.ms': { name: 'groupSessionTimeoutMinMs', min: 1, max: int32Max },
  'group.max.session.timeout.ms': { name: 'groupSessionTimeoutMaxMs', min: 1, max: int32Max },
  'group.max.size': { name: 'groupMembersMax', min: 1, max: 1_000_000 },
  'offset.metadata.max.bytes': { name: 'offsetMetadataBytesMax', min: 0, max: 65_535 },
  'offsets.retention.minutes': {
    name: 'offsetsRetentionMs',
    min: 1,
    max: durationMsMax / 60_000,
    factor: 60_000,
  },
  'log.retention.check.interval.ms': { name: 'retentionCheckIntervalMs', min: 1, max: int32Max },
  'max.connections': { name: 'connectionsMax', min: 1, max: 1_000_000 },
  'connections.max.idle.ms': { name: 'connectionIdleMs', min: 1000, max: durationMsMax },
}

/** Apache's key for all topics: the key of one topic, by which the catalog knows it and judges its value. */
const topicKeys: Readonly<Record<string, string>> = {
  'log.retention.ms': 'retention.ms',
  'log.retention.bytes': 'retention.bytes',
  'log.segment.bytes': 'segment.bytes',
  'message.max.bytes': 'max.message.bytes',
}

const fileBytesMax = 1024 * 1024
const othersMask = 0o007
/** Each costs a few milliseconds at the start, for its SCRAM keys. */
const usersMax = 256
const userPrefix = 'user.'
const autoCreateKey = 'auto.create.topics.enable'

const securityKeys = [
  'security.protocol',
  'sasl.enabled.mechanisms',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.keystore.location',
  'ssl.key.password',
]

/** Plain TCP and Apache's defaults. */
export const defaultBrokerSettings: BrokerSettings = {
  config: brokerDefaults,
  security: { protocol: 'PLAINTEXT', mechanisms: [], users: [] },
  topicDefaults: {},
}

/**
 * Reads a broker's properties file (`--broker-config`), in Apache's words. Paths in it are relative to its folder.
 * Errors: `invalid-config`, naming the key and what is supported, never a value that may be secret.
 */
export async function readBrokerConfig(path: string): Promise<BrokerSettings> {
  const text = await readText(path, '--broker-config')
  const settings = await parseBrokerConfig(text, (file, key) => readText(resolve(dirname(path), file), key))
  if (holdsSecrets(settings.security)) await checkMode(path)
  return settings
}

/** As `readBrokerConfig`, of a text; `readPem` gives the contents of the file that it names. */
export async function parseBrokerConfig(text: string, readPem: ReadPem): Promise<BrokerSettings> {
  const properties = parseProperties(text)
  for (const key of properties.keys()) checkKey(key)
  const settings: BrokerSettings = {
    config: configOf(properties),
    security: await securityOf(properties, readPem),
    topicDefaults: Object.fromEntries(
      Object.entries(topicKeys).flatMap(([key, topicKey]) => {
        const value = properties.get(key)
        return value === undefined ? [] : [[topicKey, value]]
      }),
    ),
  }
  checkSessions(settings.config)
  return settings
}

type ReadPem = (path: string, key: string) => Promise<string>

function checkKey(key: string): void {
  const known = [...securityKeys, autoCreateKey, ...Object.keys(numberKeys), ...Object.keys(topicKeys)]
  if (known.includes(key) || (key.startsWith(userPrefix) && key.length > userPrefix.length)) return
  throw invalid(key, `is not known to the embedded broker: there are ${known.join(', ')}, and user.NAME`)
}

function configOf(properties: Map<string, string>): BrokerConfig {
  const config = { ...brokerDefaults }
  for (const [key, { name, min, max, factor = 1 }] of Object.entries(numberKeys)) {
    const text = properties.get(key)
    if (text === undefined) continue
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= min && value <= max)) throw invalid(key, `has to be a whole number from ${min} to ${max}`)
    config[name] = value * factor
  }
  const autoCreate = properties.get(autoCreateKey)?.toLowerCase()
  if (autoCreate !== undefined && autoCreate !== 'true' && autoCreate !== 'false') {
    throw invalid(autoCreateKey, 'has to be true or false')
  }
  if (autoCreate !== undefined) config.autoCreateTopics = autoCreate === 'true'
  return config
}

function checkSessions({ groupSessionTimeoutMinMs, groupSessionTimeoutMaxMs }: BrokerConfig): void {
  if (groupSessionTimeoutMinMs <= groupSessionTimeoutMaxMs) return
  throw invalid('group.min.session.timeout.ms', 'is more than "group.max.session.timeout.ms"')
}

async function securityOf(properties: Map<string, string>, readPem: ReadPem): Promise<ListenerSecurity> {
  const protocol = protocolOf(properties)
  const tls = await certificateOf(properties, readPem)
  const users = usersOf(properties)
  const withTls = protocol.endsWith('SSL')
  const withSasl = protocol.startsWith('SASL')
  if (tls && !withTls) throw unused('A certificate is given', 'SSL or SASL_SSL')
  if (!withSasl && (users.length > 0 || properties.has('sasl.enabled.mechanisms'))) {
    throw unused('Users or mechanisms are given', 'SASL_PLAINTEXT or SASL_SSL')
  }
  if (protocol === 'SASL_PLAINTEXT' && users.length === 0) {
    throw new LinkspanError('invalid-config', 'Nobody could log in: add lines user.NAME=password')
  }
  const mechanisms = withSasl ? mechanismsOf(properties, withTls) : []
  return { protocol, mechanisms, users, ...(tls ? { tls } : {}) }
}

function protocolOf(properties: Map<string, string>): SecurityProtocol {
  const text = (properties.get('security.protocol') ?? 'PLAINTEXT').toUpperCase()
  const protocol = securityProtocols.find((one) => one === text)
  if (protocol) return protocol
  throw invalid('security.protocol', `has to be one of ${securityProtocols.join(', ')}`)
}

/** PLAIN shows passwords to whoever can listen: without TLS only where it is asked for by name. */
function mechanismsOf(properties: Map<string, string>, withTls: boolean): SaslMechanism[] {
  const key = 'sasl.enabled.mechanisms'
  const text = properties.get(key)
  if (text === undefined) return saslMechanisms.filter((one) => withTls || one !== 'PLAIN')
  const words = text.split(',').flatMap((word) => (word.trim() === '' ? [] : [word.trim().toUpperCase()]))
  const known = saslMechanisms.filter((one) => words.includes(one))
  if (known.length > 0 && known.length === new Set(words).size) return known
  throw invalid(key, `has to name some of ${saslMechanisms.join(', ')}`)
}

function usersOf(properties: Map<string, string>): { name: string; password: string }[] {
  const users = [...properties]
    .filter(([key]) => key.startsWith(userPrefix))
    .map(([key, password]) => ({ name: key.slice(userPrefix.length), password }))
  if (users.length > usersMax) throw new LinkspanError('invalid-config', `More than ${usersMax} users are given`)
  for (const { name, password } of users) {
    if (/[\u0000-\u001f\u007f]/.test(name + password)) {
      throw new LinkspanError('invalid-config', 'A user name or a password holds a control character')
    }
    if (password === '') throw invalid(userPrefix + name, 'has no password')
  }
  return users
}

async function certificateOf(
  properties: Map<string, string>,
  readPem: ReadPem,
): Promise<ServerCertificate | undefined> {
  const [chainKey, keyKey, locationKey] = [
    'ssl.keystore.certificate.chain',
    'ssl.keystore.key',
    'ssl.keystore.location',
  ] as const
  const location = properties.get(locationKey)
  const stored = location ? { text: await readPem(location, locationKey), key: locationKey } : undefined
  const chain = inline(properties, chainKey) ?? stored
  const key = inline(properties, keyKey) ?? stored
  if (!chain && !key) return undefined
  if (!chain || !key) throw new LinkspanError('invalid-config', `Set "${keyKey}" and "${chainKey}" together`)
  const password = properties.get('ssl.key.password') || undefined
  const certificate: ServerCertificate = {
    certificatePem: certificatesOf(chain.text, chain.key),
    privateKeyPem: privateKeyOf(key.text, password, key.key),
    ...(password === undefined ? {} : { privateKeyPassword: password }),
  }
  checkPair(certificate, key.key)
  return certificate
}

function inline(properties: Map<string, string>, key: string): { text: string; key: string } | undefined {
  const text = properties.get(key)
  return text ? { text, key } : undefined
}

function checkPair({ certificatePem, privateKeyPem, privateKeyPassword }: ServerCertificate, key: string): void {
  const passphrase = privateKeyPassword === undefined ? {} : { passphrase: privateKeyPassword }
  const privateKey = createPrivateKey({ key: privateKeyPem, ...passphrase })
  if (!new X509Certificate(certificatePem).checkPrivateKey(privateKey)) {
    throw invalid(key, 'holds the key of another certificate than the first of the chain')
  }
}

function holdsSecrets({ users, tls }: ListenerSecurity): boolean {
  return users.length > 0 || tls !== undefined
}

async function checkMode(path: string): Promise<void> {
  const { mode } = await stat(path)
  if ((mode & othersMask) === 0) return
  const problem = `"--broker-config": ${path} holds passwords or a key, and every user of this host may read it`
  throw new LinkspanError('invalid-config', `${problem}: close it with chmod 600`)
}

async function readText(path: string, key: string): Promise<string> {
  let reason: string
  try {
    const { size } = await stat(path)
    if (size <= fileBytesMax) return await readFile(path, 'utf8')
    reason = `it is larger than ${fileBytesMax} bytes`
  } catch (error) {
    reason = (error as NodeJS.ErrnoException).code ?? 'unknown'
  }
  throw new LinkspanError('invalid-config', `"${key}": the file ${path} cannot be read (${reason})`)
}

function unused(what: string, protocols: string): LinkspanError {
  return new LinkspanError('invalid-config', `${what}, but not used: set "security.protocol" to ${protocols}`)
}

function invalid(key: string, problem: string): LinkspanError {
  return new LinkspanError('invalid-config', `"${key}" ${problem}`)
}
