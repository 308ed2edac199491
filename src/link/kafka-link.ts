import { explainError, isLinkspanError, LinkspanError } from '../base/errors.ts'
import { newLinkId } from '../base/ids.ts'
import type { Dialect } from '../contract/config-key.ts'
import { openCluster } from '../kafka/open-cluster.ts'
import { type ConfigChange, configOf } from './change.ts'
import { changedConfig, openConfig } from './config.ts'
import type { LinkContext } from './context.ts'
import { checkDescription, checkLinkFree, checkLinkName } from './names.ts'
import { type LinkRow, linkTable } from './rows.ts'
import { clientIdOf, directSpec } from './source.ts'

export interface KafkaLinkRequest {
  name: string
  description?: string
  configs: readonly ConfigChange[]
  /** The Kafka cluster that the operator means. */
  sourceClusterId?: string
  /** Connects, and compares or learns the id of the Kafka cluster. */
  validateLink: boolean
  /** Says what would go wrong, and makes nothing. */
  validateOnly: boolean
  /** `confluent` unless told. */
  dialect?: Dialect
  signal?: AbortSignal
}

/** A broker that restarts is tried again for so long; an operator waits for the answer. */
const validateTimeoutMs = 5000

export async function createKafkaLink(context: LinkContext, request: KafkaLinkRequest): Promise<LinkRow> {
  const draft = draftOf(context, request)
  const config = openConfig(context.sealer, draft)
  const remoteKafkaClusterId =
    request.validateLink && config.get('connection.mode') !== 'INBOUND'
      ? await learnClusterId(context, draft, request)
      : request.sourceClusterId
  const link: LinkRow = { ...draft, ...(remoteKafkaClusterId ? { remoteKafkaClusterId } : {}) }
  if (request.validateOnly) return link
  return context.access.execute('create Kafka link', (rows) => {
    checkLinkFree(rows, link.name, rows.count(linkTable))
    return { changes: [linkTable.put(link.id, link)], result: link }
  })
}

function draftOf(context: LinkContext, request: KafkaLinkRequest): LinkRow {
  const { name, description = '', dialect = 'confluent' } = request
  checkLinkName(name)
  checkDescription(description)
  const { rows } = context.store
  checkLinkFree(rows, name, rows.count(linkTable))
  const id = newLinkId()
  const options = { dialect, creating: true } as const
  const config = changedConfig(context.sealer, { id, config: {} }, configOf(request.configs), options)
  if (config['linkspan.reach'] !== 'kafka') {
    const sentence = 'A link to another Linkspan is made by its token: linkspan.reach has to be kafka here'
    throw new LinkspanError('invalid-config', sentence, { details: { key: 'linkspan.reach' } })
  }
  const createdMs = context.clock.wallMs()
  return { id, name, description, type: 'unidirectional', reach: 'kafka', state: 'active', config, createdMs }
}

/** Throws `unreachable` with what went wrong, `invalid-request` for another cluster than the one that is meant. */
async function learnClusterId(context: LinkContext, draft: LinkRow, request: KafkaLinkRequest): Promise<string> {
  const { clock, log, sealer } = context
  const spec = await directSpec(openConfig(sealer, draft), clientIdOf(draft))
  await using cluster = openCluster(spec, { clock, log, deadlineMs: validateTimeoutMs, attemptMs: validateTimeoutMs })
  const found = await cluster.clusterId(request.signal ? { signal: request.signal } : {}).catch((error: unknown) => {
    const problem = `The Kafka at ${draft.config['bootstrap.servers']} could not be asked: ${explainError(error)}`
    const wayOut = 'check bootstrap.servers and the security keys, or create the link without validating it'
    const code = isLinkspanError(error) && error.code !== 'timeout' ? error.code : 'unreachable'
    throw new LinkspanError(code, `${problem}; ${wayOut}`, { cause: error })
  })
  const wanted = request.sourceClusterId
  if (wanted === undefined || wanted === found) return found
  const sentence = `The Kafka at ${draft.config['bootstrap.servers']} is cluster ${found}, not ${wanted}`
  throw new LinkspanError('invalid-request', `${sentence}: correct the cluster id or bootstrap.servers`)
}
