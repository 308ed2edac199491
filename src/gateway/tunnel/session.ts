import { sleep } from '../../base/clock.ts'
import { explainError, isLinkspanError, LinkspanError } from '../../base/errors.ts'
import type { Fingerprint } from '../../base/ids.ts'
import { Reader } from '../../bytes/reader.ts'
import type { KafkaConnection } from '../../kafka/connection.ts'
import type { Frame } from '../../transport/frame-reader.ts'
import { metadata } from '../../wire/api/03-metadata.ts'
import { apiVersions } from '../../wire/api/18-api-versions.ts'
import { decodeRequestBody, isFlexible } from '../../wire/codec.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import { decodeRequestHeader, encodeResponse, type RequestHeader, skipTaggedFields } from '../../wire/frame.ts'
import { type Api, type ResponseInput, type ResponseOf, zeroUuid } from '../../wire/schema.ts'
import { ByteBudget, type Taken, takeBytes } from './byte-budget.ts'
import type { TunnelLimits } from './limits.ts'
import type { LinkUsage } from './link-usage.ts'
import type { Outlet } from './outlet.ts'
import { findRule, versionsAnswer, versionsOf } from './policy.ts'
import type { RightsOf, TunnelRights } from './rights.ts'
import { checkDemanded, confine, type Rule, Violation } from './rule.ts'
import type { TunnelSource } from './source.ts'

export interface SessionOptions {
  fingerprint: Fingerprint
  rightsOf: RightsOf
  limits: TunnelLimits
  usage: LinkUsage
  source: TunnelSource
  /** To the one broker that the preface named. */
  connection: KafkaConnection
  outlet: Outlet
  /** Requests of the link, in their order; undefined when it has left. */
  nextFrame: () => Promise<Frame | undefined>
  /** For each answer that leaves. */
  onAnswer: (bytes: number) => void
  signal: AbortSignal
}

/** What an answer without record batches is counted for until its size is known. */
const smallAnswerBytes = 16 * 1024

interface VersionsRequest {
  header: RequestHeader
  answer: ResponseInput<typeof apiVersions>
}

interface Request {
  header: RequestHeader
  rule: Rule
  body: Record<string, unknown>
}

/**
 * One tunnel at work: each request is decoded, judged by the policy and the rights of that moment, made anew from the
 * fields that we know, and its answer goes the same way back. Answers leave in the order of their requests.
 */
export class TunnelSession {
  readonly #options: SessionOptions
  readonly #bytes: ByteBudget
  #pending = 0
  #wakeWhenAnswered: (() => void) | undefined
  #lastAnswer: Promise<void> = Promise.resolve()

  constructor(options: SessionOptions) {
    this.#options = options
    this.#bytes = new ByteBudget(options.limits.bytesInFlightPerConnectionMax)
  }

  /** Ends when the link has left. Throws `Violation`, and whatever else makes it impossible to go on. */
  async serve(): Promise<void> {
    const failed = Promise.withResolvers<never>()
    await Promise.race([this.#serveRequests(failed.reject), failed.promise])
    await this.#lastAnswer
  }

  async #serveRequests(fail: (error: unknown) => void): Promise<void> {
    const { nextFrame, usage, signal, limits } = this.#options
    for (let frame = await nextFrame(); frame; frame = await nextFrame()) {
      const delayMs = usage.requests.takeLater()
      if (delayMs >= 1) await sleep(delayMs, signal)
      while (this.#pending >= limits.requestsPendingMax) await this.#someAnswer()
      const answered = await this.#admit(frame)
      this.#pending += 1
      const before = this.#lastAnswer
      this.#lastAnswer = answered(before).finally(() => {
        this.#pending -= 1
        this.#wakeWhenAnswered?.()
      })
      this.#lastAnswer.catch(fail)
    }
  }

  #someAnswer(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakeWhenAnswered = resolve
    })
  }

  /** Sends what is left of the request on its way; the function returned waits for its turn and writes the answer. */
  async #admit(frame: Frame): Promise<(before: Promise<void>) => Promise<void>> {
    try {
      const request = this.#decode(frame)
      return 'answer' in request ? await this.#answerVersions(request) : await this.#ask(request)
    } catch (error) {
      if (isLinkspanError(error, 'malformed', 'unsupported')) throw new Violation(explainError(error))
      throw error
    } finally {
      frame.release()
    }
  }

  #decode(frame: Frame): Request | VersionsRequest {
    const reader = new Reader(frame.bytes)
    const header = decodeRequestHeader(reader)
    if (header.apiKey !== apiVersions.key) return this.#read(header, reader)
    return { header, answer: this.#readVersions(header, reader) }
  }

  async #answerVersions({ header, answer }: VersionsRequest): Promise<(before: Promise<void>) => Promise<void>> {
    const taken = await takeBytes([this.#bytes, this.#options.usage.bytes], 0)
    const version = answer.errorCode ? 0 : header.apiVersion
    return async (before) => {
      await before
      this.#write(encodeResponse(apiVersions, version, header.correlationId, answer), taken, undefined)
    }
  }

  #readVersions(header: RequestHeader, reader: Reader): ResponseInput<typeof apiVersions> {
    const { connection } = this.#options
    const [min, max] = apiVersions.versions
    const { apiVersion } = header
    if (apiVersion < min || apiVersion > max) {
      const apiKeys = [{ apiKey: apiVersions.key, minVersion: min, maxVersion: max }]
      return { errorCode: kafkaErrors.UNSUPPORTED_VERSION, apiKeys }
    }
    readBody(apiVersions, apiVersion, reader)
    return versionsAnswer((api) => connection.versions.range(api))
  }

  #read(header: RequestHeader, reader: Reader): Request {
    const { connection } = this.#options
    const { apiKey, apiVersion } = header
    const rule = findRule(apiKey)
    if (!rule) throw new Violation(`API ${apiKey}, which does not pass the tunnel`)
    const range = versionsOf(rule, (api) => connection.versions.range(api))
    if (!range || apiVersion < range[0] || apiVersion > range[1]) {
      throw new Violation(`${rule.api.name} in version ${apiVersion}, which does not pass the tunnel`)
    }
    return { header, rule, body: readBody(rule.api, apiVersion, reader) }
  }

  async #ask(request: Request): Promise<(before: Promise<void>) => Promise<void>> {
    const { limits, connection, usage, source } = this.#options
    const { header, rule, body } = request
    checkDemanded(rule, body)
    await this.#resolveIds(body)
    const admission = rule.admit(confine(rule, body, limits), {
      version: header.apiVersion,
      rights: this.#rights(),
      topicName: (topicId) => source.topicIds.get(topicId),
    })
    const { forward } = admission
    const taken = await takeBytes([this.#bytes, usage.bytes], forward ? answerBytes(forward) : 0)
    const asked = forward && connection.requestFrame(rule.api, forward, { version: header.apiVersion })
    asked?.catch(() => {}) // told to whoever waits for it below
    return async (before) => {
      let arrived: { answer: ResponseOf<Api>; frame: Frame } | undefined
      try {
        arrived = await asked
        if (arrived) this.#arrived(rule, arrived, taken)
        await before
        const answer = admission.answer(arrived?.answer, this.#rights())
        const chunks = encodeResponse(rule.api, header.apiVersion, header.correlationId, answer)
        this.#write(chunks, taken, arrived?.frame)
      } catch (error) {
        arrived?.frame.release()
        taken.giveBack()
        throw error
      }
    }
  }

  #write(chunks: readonly Uint8Array[], taken: Taken, frame: Frame | undefined): void {
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    taken.become(bytes)
    this.#options.onAnswer(bytes)
    this.#options.outlet.write(chunks, frame, () => {
      frame?.release()
      taken.giveBack()
    })
  }

  #arrived(rule: Rule, arrived: { answer: ResponseOf<Api>; frame: Frame }, taken: Taken): void {
    taken.become(arrived.frame.bytes.length)
    if (rule.api.key === metadata.key) this.#options.source.learn(arrived.answer as ResponseOf<typeof metadata>)
  }

  /** As they are now. A link whose identity is gone has no tunnel any more. */
  #rights(): TunnelRights {
    const identity = this.#options.rightsOf(this.#options.fingerprint)
    if (!identity) throw new LinkspanError('not-permitted', 'The certificate is no longer that of a cluster link')
    return identity.rights
  }

  /** Ids that we do not know may be of new topics, or of before our own start. */
  async #resolveIds(body: Record<string, unknown>): Promise<void> {
    const { source } = this.#options
    const topics = (body.topics ?? []) as { topicId?: string }[]
    const unknown = topics.some(({ topicId = zeroUuid }) => topicId !== zeroUuid && !source.topicIds.get(topicId))
    if (unknown) await source.refresh().catch(() => {}) // then the id stays unknown, and is answered as such
  }
}

/** The rest of a request frame, which must be the body and nothing else. */
function readBody(api: Api, version: number, reader: Reader): Record<string, unknown> {
  if (isFlexible(api, version)) skipTaggedFields(reader)
  const body = decodeRequestBody(api, version, reader)
  if (reader.remaining > 0) throw new Violation(`${api.name} with ${reader.remaining} bytes too many`)
  return body
}

/** What the answer to a request may take. */
function answerBytes(forward: Record<string, unknown>): number {
  return typeof forward.maxBytes === 'number' ? Math.max(forward.maxBytes, smallAnswerBytes) : smallAnswerBytes
}
