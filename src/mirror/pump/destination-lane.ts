import type { Clock } from '../../base/clock.ts'
import { isLinkspanError, LinkspanError } from '../../base/errors.ts'
import type { KafkaConnection } from '../../kafka/connection.ts'
import type { Frame } from '../../transport/frame-reader.ts'
import { produce } from '../../wire/api/00-produce.ts'
import type { PumpPartition } from './partition.ts'
import {
  type Append,
  type AppendAnswer,
  decodeProduce,
  encodeProduce,
  noAnswer,
  type ProduceAnswer,
  produceByIdVersion,
} from './produce-codec.ts'
import type { PumpSettings } from './settings.ts'
import { provenForMs, provenTopics } from './topic-proof.ts'

/** Partitions of one request: their answer is one frame too. */
const appendsMax = 512

/** What a lane tells the pump; each may change the partition and the lane at once. */
export interface DestinationOwner {
  /** An append was answered with an error, or at a place that it should not have. */
  refused(partition: PumpPartition, append: Append, answer: AppendAnswer): void
  /** The connection is gone, with everything unanswered on it. */
  lost(partition: PumpPartition, error: LinkspanError): void
  /** Nothing of the partition is unanswered any more. */
  settled(partition: PumpPartition): void
  /** Something was acknowledged: there may be room for more. */
  progressed(): void
}

/**
 * One connection to one destination broker and the partitions that it leads. Requests carry at most one batch per
 * partition (Kafka takes no more) and follow each other without waiting, within a window. Nothing is ever sent twice.
 */
export class DestinationLane implements AsyncDisposable {
  readonly nodeId: number
  readonly #owner: DestinationOwner
  readonly #settings: PumpSettings
  readonly #clock: Clock
  readonly #raw: boolean
  readonly #dial: (signal: AbortSignal) => Promise<KafkaConnection>
  readonly #closing = new AbortController()
  readonly #partitions = new Set<PumpPartition>()
  /** Partitions with something to send, each once. */
  #ready: PumpPartition[] = []
  readonly #readySet = new Set<PumpPartition>()
  /** Those whose topic is being asked for: see `topic-proof.ts`. */
  readonly #unproven = new Set<PumpPartition>()
  #connection: KafkaConnection | undefined
  #opening: Promise<KafkaConnection> | undefined
  #version = 0
  #windowBytes = 0
  #windowRequests = 0
  #waitsForDrain = false
  #proving = false

  constructor(
    nodeId: number,
    options: {
      owner: DestinationOwner
      settings: PumpSettings
      clock: Clock
      /** To our embedded broker: a request is that of one mirror, which it names. */
      raw: boolean
      dial: (signal: AbortSignal) => Promise<KafkaConnection>
    },
  ) {
    this.nodeId = nodeId
    this.#owner = options.owner
    this.#settings = options.settings
    this.#clock = options.clock
    this.#raw = options.raw
    this.#dial = options.dial
  }

  get partitions(): ReadonlySet<PumpPartition> {
    return this.#partitions
  }

  /** Opens the connection if there is none. Errors: those of opening. */
  async ready(): Promise<void> {
    if (this.#connection && !this.#connection.failure) return
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined
    })
    await this.#opening
  }

  add(partition: PumpPartition): void {
    this.#partitions.add(partition)
  }

  /** What is unanswered stays unanswered until the connection says otherwise. */
  remove(partition: PumpPartition): void {
    this.#partitions.delete(partition)
  }

  /** The partition may have something to send; `flush` sends it. */
  wake(partition: PumpPartition): void {
    if (!partition.sendable || this.#readySet.has(partition) || this.#unproven.has(partition)) return
    this.#readySet.add(partition)
    this.#ready.push(partition)
  }

  /** Sends what the window allows. */
  flush(): void {
    const connection = this.#connection
    if (!connection || connection.failure || this.#ready.length === 0) return
    const { windowBytes, windowRequests } = this.#settings
    while (this.#ready.length > 0) {
      if (this.#windowBytes >= windowBytes || this.#windowRequests >= windowRequests) return
      if (connection.writableNeedDrain) {
        this.#flushAfterDrain(connection)
        return
      }
      const appends = this.#takeAppends()
      if (appends.length > 0) this.#send(connection, appends)
    }
    if (this.#unproven.size > 0 && !this.#proving) void this.#prove(connection)
  }

  /** Ends the connection: everything unanswered on it is dead for us, though it may still arrive. */
  breakOff(error: LinkspanError): void {
    this.#connection?.close(error)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('The lane was closed'))
    await this.#opening?.catch(() => {})
    await this.#connection?.[Symbol.asyncDispose]()
  }

  async #open(): Promise<KafkaConnection> {
    const connection = await this.#dial(this.#closing.signal)
    this.#version = connection.versions.choose(produce, produceByIdVersion)
    this.#connection = connection
    this.#windowBytes = 0
    this.#windowRequests = 0
    this.#waitsForDrain = false
    void connection.closed.then((error) => this.#lost(error))
    return connection
  }

  #lost(error: LinkspanError): void {
    this.#connection = undefined
    this.#ready = []
    this.#readySet.clear()
    for (const partition of [...this.#partitions]) this.#owner.lost(partition, error)
  }

  #flushAfterDrain(connection: KafkaConnection): void {
    if (this.#waitsForDrain) return
    this.#waitsForDrain = true
    connection.onDrain(() => {
      this.#waitsForDrain = false
      this.flush()
    })
  }

  /** The next batch of each partition in turn, up to the request's size. */
  #takeAppends(): Append[] {
    const { produceBytes } = this.#settings
    const nowMs = this.#clock.monotonicMs()
    const appends: Append[] = []
    const again: PumpPartition[] = []
    const waiting = this.#ready
    let bytes = 0
    let taken = 0
    for (; taken < waiting.length && bytes < produceBytes && appends.length < appendsMax; taken += 1) {
      const partition = waiting[taken] as PumpPartition
      if (this.#raw && appends.length > 0 && appends[0]?.partition.start.mirrorId !== partition.start.mirrorId) {
        again.push(partition)
        continue
      }
      if (this.#needsProof(partition, nowMs)) {
        this.#readySet.delete(partition)
        this.#unproven.add(partition)
        continue
      }
      const batch = partition.sendable && this.#partitions.has(partition) ? partition.takeNext(nowMs) : undefined
      if (batch) {
        appends.push({ partition, batch, generation: partition.generation })
        bytes += batch.bytes.length
      }
      if (batch && partition.sendable) again.push(partition)
      else this.#readySet.delete(partition)
    }
    this.#ready = waiting.length === taken ? again : waiting.slice(taken).concat(again)
    return appends
  }

  #needsProof(partition: PumpPartition, nowMs: number): boolean {
    if (this.#raw || this.#version >= produceByIdVersion || partition.unanswered > 0) return false
    return nowMs - partition.provenMs >= provenForMs
  }

  /** Sends on what is proven; the rest is opened anew, which finds out what became of its topic. */
  async #prove(connection: KafkaConnection): Promise<void> {
    const asked = [...this.#unproven]
    this.#proving = true
    try {
      const proven = await provenTopics(connection, asked)
      const nowMs = this.#clock.monotonicMs()
      for (const partition of asked) {
        this.#unproven.delete(partition)
        if (!this.#partitions.has(partition)) continue
        partition.provenMs = nowMs
        if (proven.has(partition)) this.wake(partition)
        else this.#owner.lost(partition, otherTopic(partition))
      }
    } catch (error) {
      for (const partition of asked) this.#unproven.delete(partition)
      if (!isLinkspanError(error)) throw error
      connection.close(error)
    } finally {
      this.#proving = false
    }
    this.flush()
  }

  #send(connection: KafkaConnection, appends: Append[]): void {
    const version = this.#version
    const correlationId = connection.nextCorrelationId()
    const { clientId } = connection
    const timeoutMs = this.#settings.requestTimeoutMs
    const raw = this.#raw
    const chunks = encodeProduce(appends, { version, correlationId, clientId, timeoutMs, raw })
    let bytes = 0
    for (const { batch } of appends) bytes += batch.bytes.length
    this.#windowBytes += bytes
    this.#windowRequests += 1
    const onAnswer = (frame: Frame | undefined, error: LinkspanError | undefined) => {
      if (connection === this.#connection) {
        this.#windowBytes -= bytes
        this.#windowRequests -= 1
      }
      if (frame) this.#answered(connection, frame, version, appends)
      else this.#failed(appends, error as LinkspanError)
    }
    try {
      connection.sendProduce(chunks, correlationId, onAnswer)
    } catch (cause) {
      onAnswer(undefined, cause as LinkspanError)
    }
  }

  #failed(appends: readonly Append[], error: LinkspanError): void {
    for (const { partition, batch } of appends) partition.answered(batch)
    for (const { partition } of appends) {
      this.#owner.lost(partition, error)
      if (partition.unanswered === 0) this.#owner.settled(partition)
    }
  }

  #answered(connection: KafkaConnection, frame: Frame, version: number, appends: Append[]): void {
    let decoded: ProduceAnswer
    try {
      decoded = decodeProduce(frame.bytes, version, appends)
    } catch (cause) {
      // Nothing is known about these appends: the connection ends, and all is asked anew.
      this.#failed(appends, cause as LinkspanError)
      connection.close(cause as LinkspanError)
      return
    } finally {
      frame.release()
    }
    connection.throttle(decoded.throttleTimeMs)
    const nowMs = this.#clock.monotonicMs()
    for (let index = 0; index < appends.length; index += 1) {
      this.#judge(appends[index] as Append, decoded.answers[index] ?? noAnswer, nowMs)
    }
    this.#owner.progressed()
    this.flush()
  }

  #judge(append: Append, answer: AppendAnswer, nowMs: number): void {
    const { partition, batch, generation } = append
    partition.answered(batch)
    const inPlace = answer.errorCode === 0 && answer.baseOffset === batch.offset
    if (!inPlace) this.#owner.refused(partition, append, answer)
    else if (generation === partition.generation) {
      partition.acknowledge(batch, nowMs)
      partition.provenMs = nowMs
      if (partition.phase === 'alone') partition.apply({ kind: 'appended' })
      this.wake(partition)
    }
    if (partition.unanswered === 0) this.#owner.settled(partition)
  }
}

function otherTopic({ start }: PumpPartition): LinkspanError {
  return new LinkspanError('destination-changed', `Topic "${start.topic}" at the destination is not the one it was`)
}
