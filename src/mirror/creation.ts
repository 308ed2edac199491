import { LinkspanError } from '../base/errors.ts'
import { newMirrorId } from '../base/ids.ts'
import { logEnd } from '../kafka/admin/offsets.ts'
import type { TopicMetadata } from '../kafka/metadata-cache.ts'
import { unwrap } from '../kafka/rounds.ts'
import type { LinkConfig } from '../link/config.ts'
import type { LinkRow } from '../link/rows.ts'
import { nothingToRead } from '../link/source.ts'
import { topicExists } from './book.ts'
import { type MirrorContext, partitionsOf } from './context.ts'
import { isEmbedded } from './embedded.ts'
import type { LinkRunner } from './link-runner.ts'
import { checkTopicName, mirrorName } from './names.ts'
import { chooseMethod } from './plan/method.ts'
import { fixedConfigProblem, followedConfigs, mirrorConfigs } from './plan/topic-config.ts'
import { checkedValue } from './plan/topic-config-values.ts'
import { freshPartition, type MirrorRow } from './rows.ts'
import { batchStarts, type Survey, surveySource } from './survey.ts'
import { checkTopicPossible, findTopic } from './topic-making.ts'
import { provePrefix } from './verify/prefix.ts'

export interface CreateMirrorRequest {
  /** Name of the link. */
  link: string
  sourceTopic: string
  /** The mirror's name; only the link's prefix and the source's name will do. */
  topic?: string | undefined
  replicationFactor?: number | undefined
  /** Of this topic alone: they do not follow the source. */
  configs?: Readonly<Record<string, string>> | undefined
  /** Takes over an existing copy, once it is proven to be the beginning of the source. */
  adopt?: boolean | undefined
  /** Says what would go wrong, and makes nothing. */
  validateOnly?: boolean | undefined
  signal?: AbortSignal | undefined
}

/** Everything that is known before anything is done. */
export interface Draft {
  row: MirrorRow
  configs: Record<string, string>
}

/** What every mirror begins with. */
const freshMirror = {
  state: { name: 'PENDING_MIRROR' },
  readOnly: { mode: 'detect-only', reason: 'Not set up yet', acls: [] },
  selfDenial: [],
  sourceFence: null,
  intent: null,
  stop: null,
} satisfies Partial<MirrorRow>

/** Judges a request by both sides, and says what its row and its topic will be. Nothing is changed. */
export async function draftMirror(
  context: MirrorContext,
  runner: LinkRunner,
  request: CreateMirrorRequest,
): Promise<Draft> {
  const { links, book, destination, clock } = context
  const link = links.require(request.link)
  const config = links.config(link)
  checkHosting(link, config)
  const { sourceTopic } = request
  checkTopicName(sourceTopic)
  const topic = mirrorName(sourceTopic, config.get('cluster.link.prefix'), request.topic)
  checkTopicName(topic)
  const localConfigs = checkLocalConfigs(request.configs ?? {})
  if (book.live(topic)) throw topicExists(topic)
  const present = await findTopic(destination, topic)
  if (present && !request.adopt) throw topicExists(topic)
  if (!present && request.adopt) throw nothingToAdopt(topic)
  const from = present ? await endsOf(context, present) : undefined
  const startSpec = config.get('mirror.start.offset.spec') ?? 'earliest'
  const source = await runner.source()
  const survey = await surveySource(source, {
    topic: sourceTopic,
    startSpec,
    signal: request.signal,
    ...(from ? { from } : {}),
  })
  const kafkaClusterId = await destination.clusterId()
  checkClusters(link, survey, { kafkaClusterId, topic, sourceTopic })
  const choice = chooseMethod(survey.facts, { embedded: isEmbedded(context.destinationSpec) })
  if (choice.method === 'refuse') {
    const text = `Topic '${sourceTopic}' cannot be mirrored exactly with the means of this version. ${choice.reason}`
    throw new LinkspanError('not-exact', text)
  }
  if (present && from) await checkCopy(context, runner, { survey, present, from, signal: request.signal })
  const include = includedKeys(config)
  const { followed } = followedConfigs(survey.configs, include)
  const nowMs = clock.wallMs()
  const row: MirrorRow = {
    ...freshMirror,
    mirrorId: newMirrorId(),
    linkId: link.id,
    topic,
    sourceTopic,
    topicId: present?.topicId ?? null,
    sourceTopicId: survey.topic.topicId,
    kafkaClusterId,
    sourceKafkaClusterId: survey.kafkaClusterId,
    partitions: survey.topic.partitions.map(freshPartition),
    stateMs: nowMs,
    createdMs: nowMs,
    adopted: present !== undefined,
    replicationFactor: present?.partitions[0]?.replicas.length ?? request.replicationFactor ?? null,
    sourceConfigs: followed,
    localConfigs,
  }
  const configs = mirrorConfigs({
    source: followed,
    local: localConfigs,
    include,
    replicationFactor: row.replicationFactor ?? undefined,
  })
  if (!present) {
    const partitions = row.partitions.length
    await checkTopicPossible(destination, { topic, partitions, replicationFactor: row.replicationFactor, configs })
  }
  const logStarts = choice.method === 'raw' && !present ? await batchStarts(source, survey, request.signal) : []
  const begins = logStarts.some((offset) => offset > 0) ? { logStarts } : {}
  return { row: { ...row, intent: { kind: 'create', configs, ...begins } }, configs }
}

export function includedKeys(config: LinkConfig): string[] {
  return (config.get('topic.config.sync.include') ?? '').split(',')
}

function checkHosting(link: LinkRow, config: LinkConfig): void {
  if (link.type === 'public') throw nothingToRead(link)
  if (config.get('link.mode') !== 'SOURCE') return
  const text = `Cluster link "${link.name}" is a source link: its mirrors are at the other end`
  throw new LinkspanError('state-conflict', text)
}

function checkLocalConfigs(configs: Readonly<Record<string, string>>): Record<string, string> {
  const checked: Record<string, string> = {}
  for (const [name, value] of Object.entries(configs)) {
    const problem = fixedConfigProblem(name)
    if (problem) throw new LinkspanError('invalid-config', problem, { details: { key: name } })
    checked[name] = checkedValue(name, value) ?? value
  }
  return checked
}

function nothingToAdopt(topic: string): LinkspanError {
  return new LinkspanError('kafka-unknown-topic', `There is no topic '${topic}' here that could be adopted`)
}

/** Pins which Kafka the link leads to, and sees that a topic is not mirrored onto itself. */
function checkClusters(
  link: LinkRow,
  survey: Survey,
  here: { kafkaClusterId: string; topic: string; sourceTopic: string },
): void {
  const pinned = link.remoteKafkaClusterId
  if (pinned !== undefined && pinned !== survey.kafkaClusterId) {
    const text =
      `Cluster link "${link.name}" leads to Kafka cluster ${survey.kafkaClusterId} now, it was ${pinned}: ` +
      'make a new link for the other cluster'
    throw new LinkspanError('source-changed', text)
  }
  if (survey.kafkaClusterId === here.kafkaClusterId && here.topic === here.sourceTopic) {
    const text = `Cluster link "${link.name}" leads back to this very Kafka cluster, where '${here.topic}' already is`
    throw new LinkspanError('invalid-request', `${text}: give the link a prefix`, { details: { errorCode: 40002 } })
  }
}

async function endsOf({ destination }: MirrorContext, topic: TopicMetadata): Promise<number[]> {
  const ends = await logEnd(destination, partitionsOf(topic.name, topic.partitions.length))
  return ends.map((end) => unwrap(end).offset)
}

/** Whether what is here is the beginning of the source, in every partition. Throws `difference`. */
async function checkCopy(
  { destination, log }: MirrorContext,
  runner: LinkRunner,
  copy: { survey: Survey; present: TopicMetadata; from: readonly number[]; signal: AbortSignal | undefined },
): Promise<void> {
  const { survey, present, from, signal } = copy
  const [here, there] = [present.partitions.length, survey.topic.partitions.length]
  if (here !== there) {
    const text = `Topic '${present.name}' has ${here} partitions here and ${there} at the source`
    throw new LinkspanError('difference', `${text}: it is no copy of it`)
  }
  for (const { partition, highWatermark } of survey.facts.partitions) {
    const end = from[partition] as number
    if (end > highWatermark) {
      const text =
        `Partition ${partition} of '${present.name}' ends at offset ${end} here, but at ${highWatermark} at the ` +
        'source: what is beyond would have to go first. Delete the topic here and mirror it anew'
      throw new LinkspanError('difference', text, { details: { partition, end, highWatermark } })
    }
  }
  const source = await runner.source()
  const at = { source, sourceTopic: survey.topic.name, destination, topic: present.name, log }
  await provePrefix({ ...at, ends: from }, signal)
}
