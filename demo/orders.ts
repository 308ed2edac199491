import { createHash } from 'node:crypto'
import type { Kafka as KafkaJs, Producer } from 'kafkajs'

export const topic = 'orders'
export const partitions = 6

interface Order {
  key: string | null
  value: string | null
  timestampMs: number
  headers: Record<string, string>
}

/** What a partition holds, as seen by one side: how far, how many, and a digest over every field of every record. */
export interface PartitionSummary {
  partition: number
  firstOffset: number
  endOffset: number
  records: number
  digest: string
}

/** Running summary of one partition; records have to come in the order of their offsets. */
class Summary {
  readonly partition: number
  #hash = createHash('sha256')
  #first = -1
  #end = 0
  #records = 0

  constructor(partition: number) {
    this.partition = partition
  }

  get end(): number {
    return this.#end
  }

  add(offset: number, order: Order): void {
    if (this.#first < 0) this.#first = offset
    this.#hash.update(`${JSON.stringify([offset, order.timestampMs, order.key, order.value, order.headers])}\n`)
    this.#end = offset + 1
    this.#records += 1
  }

  finish(): PartitionSummary {
    return {
      partition: this.partition,
      firstOffset: Math.max(this.#first, 0),
      endOffset: this.#end,
      records: this.#records,
      digest: this.#hash.copy().digest('hex'),
    }
  }
}

/**
 * Writes orders with an independent client (kafkajs) and remembers what it wrote at which offset: the witness that the
 * proof is held against.
 */
export class OrderWriter implements AsyncDisposable {
  readonly #producer: Producer
  readonly #wrote: Summary[]
  #next = 1

  constructor(producer: Producer) {
    this.#producer = producer
    this.#wrote = Array.from({ length: partitions }, (_, partition) => new Summary(partition))
  }

  static async open(client: KafkaJs): Promise<OrderWriter> {
    const producer = client.producer()
    await producer.connect()
    return new OrderWriter(producer)
  }

  get records(): number {
    return this.#next - 1
  }

  /** `count` orders to every partition, each partition's in one batch. */
  async write(count: number): Promise<void> {
    const batches = this.#wrote.map(({ partition }) => ({
      partition,
      orders: Array.from({ length: count }, () => makeOrder(this.#next++)),
    }))
    const messages = batches.flatMap(({ partition, orders }) => {
      return orders.map(({ timestampMs, ...order }) => ({ ...order, partition, timestamp: String(timestampMs) }))
    })
    const answers = await this.#producer.send({ topic, messages, acks: -1 })
    for (const { partition, baseOffset } of answers) {
      const { orders } = batches[partition] as (typeof batches)[number]
      const first = Number(baseOffset)
      orders.forEach((order, index) => {
        this.#wrote[partition]?.add(first + index, order)
      })
    }
  }

  /** What was written and acknowledged so far. */
  summaries(): PartitionSummary[] {
    return this.#wrote.map((summary) => summary.finish())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer.disconnect().catch(() => {}) // its broker may be dead: that is what the demo shows
  }
}

/** Reads the whole topic with an ordinary consumer until `ends` are reached. Throws when they are not in time. */
export async function readOrders(
  client: KafkaJs,
  { groupId, ends, timeoutMs }: { groupId: string; ends: readonly number[]; timeoutMs: number },
): Promise<PartitionSummary[]> {
  const consumer = client.consumer({ groupId })
  const read = Array.from({ length: partitions }, (_, partition) => new Summary(partition))
  const isDone = () => read.every((summary) => summary.end >= (ends[summary.partition] as number))
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Not all orders could be read in ${timeoutMs} ms`)), timeoutMs)
      const eachMessage = async ({ partition, message }: { partition: number; message: KafkaMessage }) => {
        read[partition]?.add(Number(message.offset), orderOf(message))
        if (!isDone()) return
        clearTimeout(timer)
        resolve()
      }
      consumer.run({ eachMessage }).catch(reject)
    })
  } finally {
    await consumer.disconnect()
  }
  return read.map((summary) => summary.finish())
}

interface KafkaMessage {
  offset: string
  timestamp: string
  key: Buffer | null
  value: Buffer | null
  headers?: Record<string, Buffer | string | (Buffer | string)[] | undefined>
}

function orderOf(message: KafkaMessage): Order {
  const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)])
  return {
    key: message.key?.toString() ?? null,
    value: message.value?.toString() ?? null,
    timestampMs: Number(message.timestamp),
    headers: Object.fromEntries(headers),
  }
}

const customers = ['ada', 'bela', 'chen', 'dana', 'emre', 'fay']

/** Deterministic but for its number; every seventh has no key, every eleventh no value. */
function makeOrder(number: number): Order {
  const customer = customers[number % customers.length] as string
  const amount = ((number * 7919) % 100_000) / 100
  return {
    key: number % 7 === 0 ? null : customer,
    value: number % 11 === 0 ? null : JSON.stringify({ number, customer, amount, note: 'x'.repeat(number % 200) }),
    timestampMs: 1_760_000_000_000 + number * 37,
    headers: number % 3 === 0 ? { trace: `t-${number}` } : {},
  }
}
