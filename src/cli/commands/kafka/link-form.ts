import { LinkspanError } from '../../../base/errors.ts'
import type { CreateLink } from '../../../contract/kafka-v3.ts'
import { configInputs } from '../../kafka-config.ts'

export interface LinkEnds {
  sourceCluster?: string
  sourceBootstrapServer?: string
  destinationCluster?: string
  destinationBootstrapServer?: string
  remoteCluster?: string
  remoteBootstrapServer?: string
}

export interface LinkKeys {
  sourceApiKey?: string
  sourceApiSecret?: string
  destinationApiKey?: string
  destinationApiSecret?: string
  remoteApiKey?: string
  remoteApiSecret?: string
  localApiKey?: string
  localApiSecret?: string
}

type Config = Record<string, string>

/** The body that creates a link, as Confluent's client makes it of the same flags. Throws `usage`. */
export function createLinkBody(config: Config, ends: LinkEnds, keys: LinkKeys): CreateLink {
  const mode = (config['link.mode'] ?? 'DESTINATION').toUpperCase()
  const servers = bootstrapServers(ends)
  const whole = {
    ...(servers === undefined ? {} : { 'bootstrap.servers': servers }),
    ...keyConfig(mode, keys),
    ...config,
  }
  const { sourceCluster, destinationCluster, remoteCluster } = ends
  return {
    ...(sourceCluster === undefined ? {} : { source_cluster_id: sourceCluster }),
    ...(destinationCluster === undefined ? {} : { destination_cluster_id: destinationCluster }),
    ...(remoteCluster === undefined ? {} : { remote_cluster_id: remoteCluster }),
    configs: configInputs(whole),
  }
}

function bootstrapServers(ends: LinkEnds): string | undefined {
  const { sourceBootstrapServer, destinationBootstrapServer, remoteBootstrapServer } = ends
  const given = [sourceBootstrapServer, destinationBootstrapServer, remoteBootstrapServer]
  const servers = given.filter((text) => text !== undefined)
  if (servers.length > 1) throw new LinkspanError('usage', 'Name the bootstrap servers of the other cluster once')
  return servers[0]
}

function keyConfig(mode: string, keys: LinkKeys): Config {
  const source = pairOf('source', keys.sourceApiKey, keys.sourceApiSecret)
  const destination = pairOf('destination', keys.destinationApiKey, keys.destinationApiSecret)
  const remote = pairOf('remote', keys.remoteApiKey, keys.remoteApiSecret)
  const local = pairOf('local', keys.localApiKey, keys.localApiSecret)
  if (mode === 'SOURCE') return { ...remoteConfig(destination ?? remote), ...localConfig(source ?? local) }
  if (mode === 'BIDIRECTIONAL') return { ...remoteConfig(remote), ...localConfig(local) }
  return remoteConfig(source ?? remote)
}

function pairOf(side: string, key: string | undefined, secret: string | undefined): [string, string] | undefined {
  if (key === undefined && secret === undefined) return undefined
  if (key !== undefined && secret !== undefined) return [key, secret]
  throw new LinkspanError('usage', `--${side}-api-key and --${side}-api-secret go together`)
}

function remoteConfig(pair: [string, string] | undefined): Config {
  if (!pair) return {}
  return { 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'PLAIN', 'sasl.jaas.config': plainLogin(pair) }
}

function localConfig(pair: [string, string] | undefined): Config {
  if (!pair) return {}
  return {
    'local.listener.name': 'SASL_SSL',
    'local.security.protocol': 'SASL_SSL',
    'local.sasl.mechanism': 'PLAIN',
    'local.sasl.jaas.config': plainLogin(pair),
  }
}

function plainLogin([username, password]: [string, string]): string {
  const quoted = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
  const module = 'org.apache.kafka.common.security.plain.PlainLoginModule'
  return `${module} required username=${quoted(username)} password=${quoted(password)};`
}

/** What may be repeated on a screen: no credential is among them. */
const printable = new Set([
  'bootstrap.servers',
  'connection.mode',
  'link.mode',
  'consumer.offset.sync.enable',
  'consumer.offset.group.filters',
  'consumer.offset.sync.ms',
  'consumer.group.prefix.enable',
  'acl.sync.enable',
  'acl.filters',
  'acl.sync.ms',
  'auto.create.mirror.topics.enable',
  'auto.create.mirror.topics.filters',
  'cluster.link.prefix',
  'topic.config.sync.ms',
  'topic.config.sync.include',
  'mirror.start.offset.spec',
  'security.protocol',
  'sasl.mechanism',
  'local.security.protocol',
  'local.sasl.mechanism',
])

export function createdLinkText(name: string, { configs }: CreateLink): string {
  const lines = (configs ?? [])
    .filter((each) => printable.has(each.name))
    .map((each) => `"${each.name}"="${each.value}"`)
  if (lines.length === 0) return `Created cluster link "${name}".`
  return `Created cluster link "${name}" with configs:\n${lines.sort().join('\n')}\n`
}
