import { explainError, isLinkspanError } from '../../base/errors.ts'
import type { Client } from '../../client/client.ts'
import { entityUrl } from '../../contract/entities.ts'
import type { KafkaLink, KafkaMirror } from '../../contract/kafka-v3.ts'
import type { ClusterLink, ClusterLinkState, Server, Warning } from '../../contract/v1.ts'
import { linkAddresses, linkIsPending } from '../commands/cluster-link/form.ts'

export interface StatusReport {
  server: {
    name: string
    version: string
    addresses: string[]
    fingerprint: string
    cluster_id: string
    kafka_cluster_id: string | null
  }
  links: LinkStatus[]
  mirrors: MirrorStatusRow[]
  /** One sentence each; empty when all is well. */
  problems: string[]
}

export interface LinkStatus {
  name: string
  type: string
  addresses: string
  state: string
  reason: string
}

export interface MirrorStatusRow {
  link: string
  topic: string
  status: string
  partitions: number
  /** Records, over all partitions. */
  lag: number
  reason: string
}

/** As many states of links are asked for at a time: each may take the daemon seconds when its peer is gone. */
const probesMax = 8
const wellMirrors = new Set(['ACTIVE', 'STOPPED', 'PAUSED', 'LINK_PAUSED', 'PENDING_MIRROR', 'PENDING_STOPPED'])

export async function gatherStatus(client: Client): Promise<StatusReport> {
  const problems: string[] = []
  const orNothing = async <Item>(what: string, asked: Promise<Item[]>): Promise<Item[]> => {
    try {
      return await asked
    } catch (error) {
      problems.push(`${what} cannot be told: ${explainError(error)}`)
      return []
    }
  }
  const [{ value }, links, kafkaLinks, mirrors] = await Promise.all([
    client.server.get(),
    orNothing('Cluster links', client.clusterLinks.list()),
    orNothing('The state of links', client.kafka.links.list()),
    orNothing('Mirror topics', client.kafka.mirrors.list()),
  ])
  const states = await probe(client, links)
  const report = {
    server: serverOf(value),
    links: links.map((link) => linkStatus(link, states.get(link.name), kafkaLinks.find(isNamed(link.name)))),
    mirrors: mirrors.map(mirrorStatus),
    problems,
  }
  const ofServer = serverProblems(value)
  problems.unshift(...ofServer)
  problems.push(...report.links.flatMap(linkProblem), ...report.mirrors.flatMap(mirrorProblem))
  // Last: looking at the links has settled warnings about them.
  const told = toldEntities(report, ofServer)
  const warnings = await orNothing('Warnings', listWarnings(client))
  const others = warnings.filter(({ status, entity_url }) => status === 'new' && !told.has(entity_url))
  problems.push(...others.map(({ type, last_message }) => `${type}: ${last_message}`))
  return report
}

function serverProblems({ environment, superseded_by: generation }: Server): string[] {
  const kafka = environment?.kafka_cluster_id ?? null
  return [
    ...(generation === undefined ? [] : [supersededProblem(generation)]),
    ...(kafka === null ? ['The Kafka cluster that this daemon fronts does not answer'] : []),
  ]
}

/** None for those who may not see them. */
async function listWarnings({ warnings }: Client): Promise<Warning[]> {
  try {
    return await warnings.list()
  } catch (error) {
    if (isLinkspanError(error, 'not-permitted')) return []
    throw error
  }
}

/** What problems are told of already, as warnings name it: the server itself by nothing. */
function toldEntities({ links, mirrors }: StatusReport, ofServer: readonly string[]): Set<string> {
  const badLinks = links.filter((link) => linkProblem(link).length > 0)
  const badMirrors = mirrors.filter((mirror) => mirrorProblem(mirror).length > 0)
  return new Set([
    ...badLinks.map(({ name }) => entityUrl({ type: 'cluster_link', name })),
    ...badMirrors.map(({ topic }) => entityUrl({ type: 'topic', name: topic })),
    ...(ofServer.length > 0 ? [''] : []),
  ])
}

function serverOf({ environment }: Server): StatusReport['server'] {
  return {
    name: environment?.server_name ?? '',
    version: environment?.server_version ?? '',
    addresses: environment?.addresses ?? [],
    fingerprint: environment?.certificate_fingerprint ?? '',
    cluster_id: environment?.cluster_id ?? '',
    kafka_cluster_id: environment?.kafka_cluster_id ?? null,
  }
}

async function probe(client: Client, links: readonly ClusterLink[]): Promise<Map<string, ClusterLinkState | Error>> {
  const waiting = links.filter((link) => !linkIsPending(link) && link.config['linkspan.reach'] !== 'kafka')
  const states = new Map<string, ClusterLinkState | Error>()
  const worker = async () => {
    for (let link = waiting.pop(); link; link = waiting.pop()) {
      const { name } = link
      states.set(name, await client.clusterLinks.state(name).catch((error: Error) => error))
    }
  }
  await Promise.all(Array.from({ length: probesMax }, worker))
  return states
}

function isNamed(name: string): (link: KafkaLink) => boolean {
  return ({ link_name }) => link_name === name
}

function linkStatus(link: ClusterLink, state: ClusterLinkState | Error | undefined, kafka?: KafkaLink): LinkStatus {
  const { name, type } = link
  const shared = { name, type, addresses: linkAddresses(link) }
  if (linkIsPending(link)) return { ...shared, state: 'PENDING', reason: 'its token was not used yet' }
  if (state instanceof Error) return { ...shared, state: 'UNKNOWN', reason: explainError(state) }
  const bad = state?.cluster_link_members.find(({ status }) => status !== 'Active')
  const good = state?.cluster_link_members.some(({ status }) => status === 'Active')
  if (bad && !good) return { ...shared, state: bad.status.toUpperCase(), reason: bad.reason ?? '' }
  if (kafka && kafka.link_state !== 'ACTIVE') {
    return { ...shared, state: kafka.link_state, reason: kafka.link_error_message || errorName(kafka) }
  }
  const reason = bad ? `${bad.server_name || bad.address} is ${bad.status.toUpperCase()}` : ''
  return { ...shared, state: 'ACTIVE', reason }
}

function errorName({ link_error }: KafkaLink): string {
  return link_error === 'NO_ERROR' ? '' : link_error
}

function mirrorStatus(mirror: KafkaMirror): MirrorStatusRow {
  const lags = mirror.mirror_lags ?? []
  return {
    link: mirror.link_name,
    topic: mirror.mirror_topic_name,
    status: mirror.mirror_status,
    partitions: mirror.num_partitions,
    lag: lags.reduce((sum, { lag }) => sum + Math.max(lag, 0), 0),
    reason: ['NO_ERROR', 'NOT_SET', 'UNKNOWN'].includes(mirror.mirror_topic_error) ? '' : mirror.mirror_topic_error,
  }
}

function supersededProblem(generation: number): string {
  const problem = `A host that was restored from a backup took the place of this one (generation ${generation})`
  return `${problem}: stop this daemon, or delete its links and make new ones`
}

function linkProblem({ name, state, reason }: LinkStatus): string[] {
  if (state === 'PENDING' || state === 'PAUSED') return []
  if (state === 'ACTIVE') return reason === '' ? [] : [`Cluster link ${name}: ${reason}`]
  return [`Cluster link ${name} is ${state}${reason === '' ? '' : `: ${reason}`}`]
}

function mirrorProblem({ link, topic, status, reason }: MirrorStatusRow): string[] {
  if (wellMirrors.has(status) && reason === '') return []
  return [`Mirror topic ${topic} of link ${link} is ${status}${reason === '' ? '' : `: ${reason}`}`]
}
