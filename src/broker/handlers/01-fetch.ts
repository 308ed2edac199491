import { fetch } from '../../wire/api/01-fetch.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { RequestOf } from '../../wire/schema.ts'
import type { BrokerNode } from '../node.ts'
import { type FetchLimits, FetchRound, type PartitionAnswer } from './fetch-round.ts'
import { type FetchContext, FetchSessions, type FetchTarget, moveToEnd } from './fetch-sessions.ts'
import { waitForMore } from './fetch-wait.ts'
import { answer, defineHandler, type HandlerAnswer, type RequestContext } from './handler.ts'

type FetchRequest = RequestOf<typeof fetch>

const topicIdVersion = 13
/** v18 adds what only replicas tell. */
const versionMax = 17

/** Reads, and waits for records where there are none yet. */
export const fetchHandler = defineHandler<typeof fetch>({
  api: fetch,
  versions: [fetch.versions[0], versionMax],
  handle: (request, context) => {
    const begun = sessionsOf(context.node).begin(request, context.version, context.session.principal)
    return begun.kind === 'error' ? answer<typeof fetch>({ errorCode: begun.code }) : read(request, context, begun)
  },
})

const sessionsByNode = new WeakMap<BrokerNode, FetchSessions>()

export function sessionsOf(node: BrokerNode): FetchSessions {
  let sessions = sessionsByNode.get(node)
  if (!sessions) {
    sessions = new FetchSessions(node.clock)
    sessionsByNode.set(node, sessions)
  }
  return sessions
}

type Readable = Exclude<FetchContext, { kind: 'error' }>

async function read(
  request: FetchRequest,
  context: RequestContext,
  begun: Readable,
): Promise<HandlerAnswer<typeof fetch>> {
  const { clock, config, catalog } = context.node
  const { targets } = begun
  const limits: FetchLimits = {
    bytesMax: Math.max(0, Math.min(request.maxBytes, config.fetchBytesMax)),
    isolation: request.isolationLevel === 1 ? 'committed' : 'uncommitted',
    byId: context.version >= topicIdVersion,
    asReplica: (context.version >= 15 ? request.replicaState.replicaId : request.replicaId) >= 0,
  }
  const bytesMin = Math.min(request.minBytes, limits.bytesMax)
  const endMs = clock.monotonicMs() + request.maxWaitMs
  for (;;) {
    const round = new FetchRound(context, limits)
    try {
      await round.read(targets)
    } catch (error) {
      round.release()
      throw error
    }
    const leftMs = endMs - clock.monotonicMs()
    const { watched, bytes } = round
    const isReady = round.failed || bytes >= bytesMin || watched.length === 0
    if (isReady || leftMs <= 0 || context.signal.aborted) return answerRound(begun, round, context)
    round.release()
    const wait = { bytesWanted: bytesMin - bytes, timeoutMs: leftMs }
    await waitForMore(watched, wait, { catalog, signal: context.signal })
  }
}

function answerRound(begun: Readable, round: FetchRound, context: RequestContext): HandlerAnswer<typeof fetch> {
  const { targets } = begun
  const release = () => round.release()
  if (begun.kind === 'sessionless') {
    return answer<typeof fetch>({ responses: groupByTopic(targets, round.answers) }, release)
  }
  if (begun.kind === 'full') {
    for (const [place, target] of targets.entries()) remember(target, round.answers[place]!)
    const sessionId = sessionsOf(context.node).open(targets, begun.byId, context.session.principal)
    return answer<typeof fetch>({ sessionId, responses: groupByTopic(targets, round.answers) }, release)
  }
  const { session } = begun
  if (session.epoch !== begun.epoch) {
    release()
    // Another request of the session came meanwhile, so the client did not wait for this one.
    return answer<typeof fetch>({ errorCode: kafkaErrors.INVALID_FETCH_SESSION_EPOCH, sessionId: session.id })
  }
  const news = targets.flatMap((target, place) => {
    const one = round.answers[place]!
    return isNews(target, one) ? [{ target, one }] : []
  })
  for (const { target, one } of news) {
    remember(target, one)
    if (one.records.length > 0) moveToEnd(session, target)
  }
  const responses = groupByTopic(
    news.map(({ target }) => target),
    news.map(({ one }) => one),
  )
  return answer<typeof fetch>({ sessionId: session.id, responses }, release)
}

function isNews(target: FetchTarget, one: PartitionAnswer): boolean {
  if (one.errorCode !== 0 || one.records.length > 0) return true
  return one.highWatermark !== target.toldHighWatermark || one.logStartOffset !== target.toldLogStart
}

/** After an error everything is news. */
function remember(target: FetchTarget, one: PartitionAnswer): void {
  target.toldHighWatermark = one.highWatermark
  target.toldLogStart = one.logStartOffset
}

/** In the order of the targets; neighbours of one topic go together. */
function groupByTopic(targets: readonly FetchTarget[], answers: readonly PartitionAnswer[]) {
  const responses: { topic: string; topicId: string; partitions: PartitionAnswer[] }[] = []
  for (let place = 0; place < targets.length; place += 1) {
    const { topic, topicId } = targets[place]!
    let last = responses.at(-1)
    if (last?.topic !== topic || last.topicId !== topicId) {
      last = { topic, topicId, partitions: [] }
      responses.push(last)
    }
    last.partitions.push(answers[place]!)
  }
  return responses
}
