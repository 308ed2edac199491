import { codecs } from '../../kafka/kcat.ts'
import {
  type Check,
  type ClientName,
  clientNames,
  type Json,
  type ProduceStep,
  type SharedCheck,
  type Step,
  type WrittenRecord,
} from '../steps.ts'
import { unlessJava } from './sparing.ts'

/** Long ago, so topics that are written with it keep everything. */
const writtenMs = 1_700_000_000_000
const keep = { 'retention.ms': '-1' }

/** kcat gives all records of a batch the same headers, and neither it nor Java's console tells a timestamp. */
const onlyNow: readonly ClientName[] = ['kcat', 'java']

/**
 * Each codec with its kind of acknowledgement. Without one comes last, since nothing may overtake it, and with one
 * record only: of two requests a client that closes at once may lose one.
 */
const kinds = [
  { codec: 'gzip', acks: 1 },
  { codec: 'snappy', acks: 'all' },
  { codec: 'lz4', acks: 'all', idempotent: true },
  { codec: 'zstd', acks: 'all', idempotent: true },
  { codec: 'none', acks: 0 },
] as const

function recordsOf(writer: ClientName, codec: string): WrittenRecord[] {
  const headers: [string, string][] = [
    ['writer', writer],
    ['codec', codec],
  ]
  const told = (offsetMs: number) => (onlyNow.includes(writer) ? {} : { timestampMs: writtenMs + offsetMs })
  const [first, ...others]: [WrittenRecord, ...WrittenRecord[]] = [
    { key: `${writer}-${codec}`, value: `${codec} — größer `.repeat(100), headers, ...told(0) },
    { key: null, value: 'without a key', headers, ...told(5) },
    { key: 'gone', value: null, headers, ...told(3) },
  ]
  return codec === 'none' ? [first] : [first, ...others]
}

/** Java's console cannot choose a partition, so it has a topic of one for itself. */
function placeOf(writer: ClientName, writers: readonly ClientName[]): { topic: string; partition: number } {
  if (writer === 'java') return { topic: 'java', partition: 0 }
  return { topic: 'others', partition: writers.filter((name) => name !== 'java').indexOf(writer) }
}

function writing(writer: ClientName, writers: readonly ClientName[]): Step {
  const place = placeOf(writer, writers)
  return {
    do: 'inOrder',
    steps: kinds.map((kind): ProduceStep & { by: ClientName; expect: Json } => {
      return { do: 'produce', by: writer, ...place, ...kind, records: recordsOf(writer, kind.codec), expect: 'done' }
    }),
  }
}

function readBack(writer: ClientName, partition: number): Json[] {
  const records = kinds.flatMap(({ codec }) => recordsOf(writer, codec))
  return records.map(({ key, value, headers, timestampMs }, offset): Json => {
    return { partition, offset, key: key ?? null, value, headers: headers!, timestampMs: timestampMs ?? 'now' }
  })
}

function storedBatches(): Json[] {
  return kinds.map((kind, index): Json => {
    const idempotent = 'idempotent' in kind
    const flags = { timestamps: 'CreateTime', idempotent, transactional: false, leaderEpoch: 0 }
    const from = index * 3
    return { from, to: from + recordsOf('kcat', kind.codec).length - 1, codec: kind.codec, ...flags }
  })
}

function reading(reader: ClientName, writers: readonly ClientName[]): Step {
  const steps = ['java', 'others'].flatMap((topic): Step[] => {
    const ofTopic = writers.filter((writer) => placeOf(writer, writers).topic === topic)
    if (ofTopic.length === 0) return []
    const expect = ofTopic.flatMap((writer) => readBack(writer, placeOf(writer, writers).partition))
    return [{ do: 'consume', by: reader, topic, from: 'earliest', count: expect.length, expect }]
  })
  return { do: 'together', steps }
}

function watching(writers: readonly ClientName[]): Step {
  const steps = writers.map((writer): Step => {
    return { do: 'batches', ...placeOf(writer, writers), expect: storedBatches() }
  })
  return { do: 'together', steps }
}

/** Keys, headers, null values, timestamps, every codec, every kind of acknowledgement. */
export const everyoneReadsEveryone: SharedCheck = {
  name: 'what every client writes in every codec, every client reads',
  clients: clientNames,
  steps: (clients) => [
    {
      do: 'together',
      steps: [
        { do: 'createTopic', by: 'kafkajs', topic: 'java', expect: 'done' },
        {
          do: 'createTopic',
          by: 'kafkajs',
          topic: 'others',
          partitions: clients.length,
          configs: keep,
          expect: 'done',
        },
      ],
    },
    { do: 'together', steps: clients.map((writer) => writing(writer, clients)) },
    { do: 'together', steps: clients.map((reader) => reading(reader, clients)) },
    watching(clients),
  ],
}

const large = 'large '.repeat(250_000)

/** More than a fetch asks for of a partition: the broker has to give one whole batch all the same. */
export const largeRecords: Check = {
  name: 'records larger than a fetch',
  clients: clientNames,
  steps: (client) => {
    const values = ['small', large, 'small again']
    const expect = values.map((value, offset): Json => {
      return { partition: 0, offset, key: null, value, headers: [], timestampMs: 'now' }
    })
    const read = { do: 'consume', topic: 'large', partition: 0, from: 0, count: values.length, expect } as const
    return [
      { do: 'createTopic', by: 'kafkajs', topic: 'large', configs: { 'max.message.bytes': '4000000' } },
      { do: 'produce', topic: 'large', partition: 0, records: values.map((value) => ({ value })), expect: 'done' },
      { do: 'together', steps: [...unlessJava(client, read), { ...read, fetchBytes: 1000 }] },
    ]
  },
}

/** The log gives its own times. */
export const logAppendTime: Check = {
  name: 'times given by the log',
  clients: ['kafkajs', 'platformatic', 'librdkafka', 'franz-go'],
  steps: (client) => {
    const records = codecs.map((value) => ({ value, timestampMs: writtenMs }))
    const expect = records.map(({ value }, offset): Json => {
      // One client shows what the producer said.
      const timestampMs = client === 'platformatic' ? writtenMs : 'now'
      return { partition: 0, offset, key: null, value, headers: [], timestampMs }
    })
    const flags = {
      codec: 'none',
      timestamps: 'LogAppendTime',
      idempotent: false,
      transactional: false,
      leaderEpoch: 0,
    }
    return [
      { do: 'createTopic', topic: 'stamped', configs: { 'message.timestamp.type': 'LogAppendTime' }, expect: 'done' },
      { do: 'produce', topic: 'stamped', partition: 0, records, expect: 'done' },
      { do: 'consume', topic: 'stamped', partition: 0, from: 'earliest', count: records.length, expect },
      { do: 'batches', topic: 'stamped', partition: 0, expect: [{ from: 0, to: records.length - 1, ...flags }] },
      { do: 'listOffsets', topic: 'stamped', partitions: 1, at: writtenMs + 1000, expect: { 0: 0 } },
      {
        do: 'createTopic',
        topic: 'recent',
        configs: { 'message.timestamp.before.max.ms': '60000' },
        expect: 'done',
      },
      // librdkafka tells of the single records.
      {
        do: 'produce',
        topic: 'recent',
        partition: 0,
        records,
        expect: { error: client === 'librdkafka' ? 'INVALID_RECORD' : 'INVALID_TIMESTAMP' },
      },
    ]
  },
}
