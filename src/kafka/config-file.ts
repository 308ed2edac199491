import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { isLinkspanError, LinkspanError } from '../base/errors.ts'
import { parseAddress } from '../transport/address.ts'
import { parseJaas } from './jaas.ts'
import { certificatesOf, privateKeyOf } from './pem.ts'
import { parseProperties } from './properties.ts'
import type { DirectSpec, SaslSpec, TlsSpec } from './spec.ts'

export interface ClientConfig {
  spec: DirectSpec
  /** Keys that do not concern us, such as those of producers and consumers; for a line in the log. */
  ignored: string[]
}

export interface ClientConfigOptions {
  /** `host:port,…`; counts before the file's `bootstrap.servers`. */
  bootstrap?: string
  /** When neither is given by the file. */
  clientId?: string
}

const protocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']
const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
const loginModules: Record<string, 'plain' | 'scram'> = {
  'org.apache.kafka.common.security.plain.PlainLoginModule': 'plain',
  'org.apache.kafka.common.security.scram.ScramLoginModule': 'scram',
}
const kafkaPort = 9092
const bootstrapMax = 64
const fileBytesMax = 1024 * 1024

const understood = new Set([
  'bootstrap.servers',
  'client.id',
  'security.protocol',
  'sasl.mechanism',
  'sasl.jaas.config',
  'ssl.truststore.type',
  'ssl.truststore.certificates',
  'ssl.truststore.location',
  'ssl.keystore.type',
  'ssl.keystore.certificate.chain',
  'ssl.keystore.key',
  'ssl.keystore.location',
  'ssl.key.password',
  'ssl.endpoint.identification.algorithm',
])

/** Of security, but about how Java does it: the protocol versions and ciphers are Node's, at least TLS 1.2. */
const harmless = [
  /^ssl\.(protocol|provider|enabled\.protocols|secure\.random\.implementation)$/,
  /^ssl\.(keymanager|trustmanager)\.algorithm$/,
  /^sasl\.(login|kerberos|oauthbearer)\./,
  /^security\.providers$/,
]

/**
 * Reads a Kafka client's properties file (`--kafka-config`). Paths in it are relative to its folder.
 * Errors: `invalid-config`, naming the key and what is supported, never a value that may be secret.
 */
export async function readClientConfig(path: string, options: ClientConfigOptions = {}): Promise<ClientConfig> {
  const text = await readText(path, '--kafka-config')
  return await parseClientConfig(text, options, (file, key) => readText(resolve(dirname(path), file), key))
}

/** As `readClientConfig`, of a text; `readPem` gives the contents of the files that it names. */
export async function parseClientConfig(
  text: string,
  options: ClientConfigOptions,
  readPem: (path: string, key: string) => Promise<string>,
): Promise<ClientConfig> {
  const properties = parseProperties(text)
  const ignored = [...properties.keys()].filter((key) => !understood.has(key))
  for (const key of ignored) {
    if (!/^(ssl|sasl|security)\./.test(key) || properties.get(key) === '') continue
    if (harmless.some((pattern) => pattern.test(key))) continue
    const keys = [...understood].filter((one) => /^(ssl|sasl|security)\./.test(one))
    throw new LinkspanError('invalid-config', `"${key}" is not supported: use ${keys.join(', ')}`)
  }
  const protocol = (properties.get('security.protocol') || 'PLAINTEXT').toUpperCase()
  if (!protocols.includes(protocol)) throw unsupported('security.protocol', `use one of ${protocols.join(', ')}`)
  const spec: DirectSpec = {
    reach: 'kafka',
    clientId: properties.get('client.id') || options.clientId || 'linkspan',
    bootstrap: bootstrapOf(options.bootstrap ?? properties.get('bootstrap.servers')),
  }
  if (protocol.endsWith('SSL')) spec.tls = await tlsOf(properties, readPem)
  if (protocol.startsWith('SASL')) spec.sasl = saslOf(properties)
  return { spec, ignored }
}

export function bootstrapOf(text: string | undefined): DirectSpec['bootstrap'] {
  const servers = (text ?? '').split(',').flatMap((one) => (one.trim() === '' ? [] : [one.trim()]))
  if (servers.length === 0) {
    throw new LinkspanError('invalid-config', 'No Kafka servers are given: set "bootstrap.servers" to HOST:PORT,…')
  }
  if (servers.length > bootstrapMax) {
    throw new LinkspanError('invalid-config', `"bootstrap.servers" names more than ${bootstrapMax} servers`)
  }
  return servers.map((server) => {
    try {
      return parseAddress(server.replace(/^[A-Z_]+:\/\//, ''), kafkaPort)
    } catch (cause) {
      throw new LinkspanError('invalid-config', '"bootstrap.servers" must be HOST:PORT,…', { cause })
    }
  })
}

function saslOf(properties: Map<string, string>): SaslSpec {
  const mechanism = properties.get('sasl.mechanism') || 'GSSAPI'
  const known = mechanisms.find((one) => one === mechanism)
  if (!known) throw unsupported('sasl.mechanism', `it must be one of ${mechanisms.join(', ')}`)
  const jaas = properties.get('sasl.jaas.config')
  if (!jaas) throw new LinkspanError('invalid-config', '"sasl.jaas.config" is missing: it holds user name and password')
  const { module, options } = parseJaas(jaas)
  const kind = Object.hasOwn(loginModules, module) ? loginModules[module] : undefined
  const wanted = known === 'PLAIN' ? 'plain' : 'scram'
  if (kind !== wanted) {
    const names = Object.keys(loginModules).filter((name) => loginModules[name] === wanted)
    throw unsupported('sasl.jaas.config', `for ${known} its login module must be ${names.join(', ')}`)
  }
  if (options.get('tokenauth') === 'true') throw unsupported('sasl.jaas.config', 'delegation tokens are not supported')
  const username = options.get('username')
  const password = options.get('password')
  if (!username || password === undefined) {
    throw new LinkspanError('invalid-config', '"sasl.jaas.config" lacks username="…" or password="…"')
  }
  return { mechanism: known, username, password }
}

type ReadPem = (path: string, key: string) => Promise<string>

async function tlsOf(properties: Map<string, string>, readPem: ReadPem): Promise<TlsSpec> {
  const tls: TlsSpec = { verifyHost: verifyHostOf(properties) }
  const authorities = await storeOf(properties, readPem, 'ssl.truststore', 'ssl.truststore.certificates')
  if (authorities) tls.ca = certificatesOf(authorities.text, authorities.key)
  const chain = await storeOf(properties, readPem, 'ssl.keystore', 'ssl.keystore.certificate.chain')
  const key = await storeOf(properties, readPem, 'ssl.keystore', 'ssl.keystore.key')
  if (!chain && !key) return tls
  if (!chain || !key) {
    throw new LinkspanError('invalid-config', 'Set "ssl.keystore.key" and "ssl.keystore.certificate.chain" together')
  }
  const password = properties.get('ssl.key.password') || undefined
  tls.certificatePem = certificatesOf(chain.text, chain.key)
  tls.privateKeyPem = privateKeyOf(key.text, password, key.key)
  if (password !== undefined) tls.privateKeyPassword = password
  return tls
}

function verifyHostOf(properties: Map<string, string>): boolean {
  const name = 'ssl.endpoint.identification.algorithm'
  const algorithm = (properties.get(name) ?? 'https').toLowerCase()
  if (algorithm === 'https') return true
  if (algorithm === '') return false
  throw unsupported(name, 'it is https, or empty to accept any host name')
}

/** PEM text that stands in the file itself (`inlineKey`), or in the file that `<store>.location` names. */
async function storeOf(
  properties: Map<string, string>,
  readPem: ReadPem,
  store: 'ssl.truststore' | 'ssl.keystore',
  inlineKey: string,
): Promise<{ text: string; key: string } | undefined> {
  const type = (properties.get(`${store}.type`) || 'PEM').toUpperCase()
  if (type !== 'PEM') {
    throw unsupported(`${store}.type`, `${type} stores cannot be read: convert it to PEM with keytool and openssl`)
  }
  const inline = properties.get(inlineKey)
  if (inline) return { text: inline, key: inlineKey }
  const location = properties.get(`${store}.location`)
  if (!location) return undefined
  const key = `${store}.location`
  return { text: await readPem(location, key), key }
}

async function readText(path: string, key: string): Promise<string> {
  let text: string
  try {
    const { size } = await stat(path)
    if (size > fileBytesMax) throw new LinkspanError('too-large', `it is larger than ${fileBytesMax} bytes`)
    text = await readFile(path, 'utf8')
  } catch (cause) {
    const reason = isLinkspanError(cause) ? cause.message : (cause as NodeJS.ErrnoException).code
    throw new LinkspanError('invalid-config', `"${key}": the file ${path} cannot be read (${reason})`, { cause })
  }
  return text
}

function unsupported(key: string, way: string): LinkspanError {
  return new LinkspanError('invalid-config', `"${key}" is set to something that Linkspan does not support: ${way}`)
}
