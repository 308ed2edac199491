import { buildBatch } from '../../src/records/build.ts'
import * as header from '../../src/records/header.ts'
import { produce } from '../../src/wire/api/00-produce.ts'
import { fetch } from '../../src/wire/api/01-fetch.ts'
import { listOffsets } from '../../src/wire/api/02-list-offsets.ts'
import { metadata } from '../../src/wire/api/03-metadata.ts'
import { describeProducers } from '../../src/wire/api/61-describe-producers.ts'
import { FakeKafka, type FakeRequest } from './fake-kafka.ts'

/** One partition's log with a broker's rules for producers: what several nodes share. */
export class FakeLog {
  readonly batches: Buffer[] = []
  start = 0
  end = 0
  /** Undefined: always the log end. */
  highWatermark: number | undefined
  readonly producers = new Map<bigint, { epoch: number; lastSequence: number }>()

  /** Kafka's code, and where the batch is. */
  append(sent: Buffer): { errorCode: number; baseOffset: number } {
    const count = header.recordCount(sent, 0)
    const id = header.producerId(sent, 0)
    const sequence = header.baseSequence(sent, 0)
    const state = this.producers.get(id)
    if (id >= 0n && state) {
      const known = this.batches.find((batch) => isSame(batch, id, sequence, count))
      if (known) return { errorCode: 0, baseOffset: header.baseOffset(known, 0) }
      if ((state.lastSequence + 1) % 2 ** 31 !== sequence) return { errorCode: 45, baseOffset: -1 }
    }
    const stored = Buffer.from(sent)
    stored.writeBigInt64BE(BigInt(this.end))
    stored.writeInt32BE(0, header.leaderEpochAt)
    this.batches.push(stored)
    const baseOffset = this.end
    this.end += count
    if (id >= 0n) this.producers.set(id, { epoch: 0, lastSequence: (sequence + count - 1) % 2 ** 31 })
    return { errorCode: 0, baseOffset }
  }

  /** What a leader that lacks the newest batches has. */
  truncate(end: number): void {
    while (this.end > end) {
      this.batches.pop()
      const last = this.batches.at(-1)
      this.end = last ? header.lastOffset(last, 0) + 1 : 0
      for (const state of this.producers.values()) state.lastSequence = this.end - 1
    }
  }

  /** Fills it with batches of so many records each. */
  fill(sizes: readonly number[], timestampMs: number): this {
    for (const size of sizes) {
      const rows = Array.from({ length: size }, (_, index) => ({
        timestampMs,
        key: null,
        value: Buffer.from(`record ${this.end + index}`),
      }))
      this.append(buildBatch(rows))
    }
    return this
  }

  from(offset: number): Buffer[] {
    const highWatermark = this.highWatermark ?? this.end
    return this.batches.filter((batch) => {
      return header.lastOffset(batch, 0) >= offset && header.baseOffset(batch, 0) < highWatermark
    })
  }
}

function isSame(batch: Buffer, id: bigint, sequence: number, count: number): boolean {
  return (
    header.producerId(batch, 0) === id &&
    header.baseSequence(batch, 0) === sequence &&
    header.recordCount(batch, 0) === count
  )
}

export type ProduceRequest = FakeRequest<typeof produce>

/** A cluster of scripted nodes around one partition `orders`-0. */
export class FakeCluster implements AsyncDisposable {
  readonly clusterId: string
  readonly log = new FakeLog()
  readonly nodes: FakeKafka[] = []
  topicId = '11111111-2222-3333-4444-555555555555'
  leader = 0
  leaderEpoch = 0
  /** What the leader does with an append, instead of appending and answering; true when it has taken care of it. */
  onProduce: (request: ProduceRequest, sent: Buffer) => boolean = () => false
  /** Added to the answer of a fetch. */
  onFetch: () => object | undefined = () => undefined
  throttleTimeMs = 0

  constructor(clusterId: string) {
    this.clusterId = clusterId
  }

  async listen(nodes = 1): Promise<this> {
    for (let nodeId = 0; nodeId < nodes; nodeId += 1) {
      const node = new FakeKafka()
      this.#script(node, nodeId)
      this.nodes.push(await node.listen())
    }
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) await node[Symbol.asyncDispose]()
  }

  move(leader: number): void {
    this.leader = leader
    this.leaderEpoch += 1
  }

  /** Appends and answers as a leader does. */
  accept(request: ProduceRequest, sent: Buffer): void {
    this.answer(request, this.log.append(sent))
  }

  answer(request: ProduceRequest, result: { errorCode: number; baseOffset: number; errorMessage?: string }): void {
    const topic = request.body.topicData[0]
    const partitionResponses = [{ index: 0, ...result }]
    const named = { name: topic?.name ?? '', topicId: topic?.topicId ?? '' }
    request.answer({ responses: [{ ...named, partitionResponses }], throttleTimeMs: this.throttleTimeMs })
  }

  #script(node: FakeKafka, nodeId: number): void {
    node.on(
      metadata,
      ({ answer }) => {
        const partition = { partitionIndex: 0, leaderId: this.leader, leaderEpoch: this.leaderEpoch }
        answer({
          clusterId: this.clusterId,
          brokers: this.nodes.map(({ port }, id) => ({ nodeId: id, host: '127.0.0.1', port })),
          topics: [{ name: 'orders', topicId: this.topicId, partitions: [partition] }],
        })
      },
      [12, 12],
    )
    node.on(
      listOffsets,
      ({ answer, body }) => {
        const wanted = body.topics[0]?.partitions[0]
        const isReplica = body.replicaId >= 0
        const end = isReplica ? this.log.end : (this.log.highWatermark ?? this.log.end)
        const offset = wanted?.timestamp === -2 ? this.log.start : end
        const errorCode = nodeId === this.leader ? 0 : 6
        answer({ topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, errorCode, offset }] }] })
      },
      [7, 7],
    )
    node.on(describeProducers, ({ answer }) => {
      const activeProducers = [...this.log.producers].map(([producerId, { epoch, lastSequence }]) => {
        return { producerId, producerEpoch: epoch, lastSequence, coordinatorEpoch: 0 }
      })
      answer({ topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, activeProducers }] }] })
    })
    node.on(fetch, (request) => this.#fetch(request, nodeId), [13, 15])
    node.on(
      produce,
      (request) => {
        const sent = request.body.topicData[0]?.partitionData[0]?.records
        if (!sent) return
        if (nodeId !== this.leader) this.answer(request, { errorCode: 6, baseOffset: -1 })
        else if (!this.onProduce(request, Buffer.from(sent))) this.accept(request, Buffer.from(sent))
      },
      [9, 11],
    )
  }

  #fetch(request: FakeRequest<typeof fetch>, nodeId: number): void {
    const topic = request.body.topics[0]
    const offset = topic?.partitions[0]?.fetchOffset ?? 0
    const answer = () => {
      const highWatermark = this.log.highWatermark ?? this.log.end
      const outside = offset < this.log.start || offset > this.log.end
      const errorCode = nodeId !== this.leader ? 6 : outside ? 1 : 0
      const records = errorCode === 0 ? Buffer.concat(this.log.from(offset)) : null
      const partition = { partitionIndex: 0, errorCode, highWatermark, records, ...this.onFetch() }
      const topicId = topic?.topicId ?? ''
      request.answer({ responses: [{ topicId, partitions: [partition] }] })
    }
    const waits = request.body.maxWaitMs > 0 && this.log.from(offset).length === 0
    if (waits) setTimeout(answer, Math.min(20, request.body.maxWaitMs))
    else answer()
  }
}
