import type { Check, ClientName, Json, Step } from '../steps.ts'
import { unlessJava } from './sparing.ts'

/** kcat only looks. */
export const administrators: readonly ClientName[] = ['kafkajs', 'platformatic', 'java', 'librdkafka', 'franz-go']

/** Long ago, so topics that are written with it keep everything. */
const writtenMs = 1_700_000_000_000
const keep = { 'retention.ms': '-1' }
const written = 10

const ofTopic = (value: string): Json => ({ value, source: 'DYNAMIC_TOPIC_CONFIG' })
const byDefault = (value: string): Json => ({ value, source: 'DEFAULT_CONFIG' })

function partitionsTo(count: number): Json {
  return Array.from({ length: count }, (_, partition) => ({ partition, leader: 1, replicas: [1], inSync: [1] }))
}

export const topicLife: Check = {
  name: 'the life of a topic: created, configured, grown, emptied, deleted',
  clients: administrators,
  steps: (client) => [
    {
      do: 'createTopic',
      topic: 'orders',
      partitions: 2,
      configs: { 'retention.ms': '86400000', 'max.message.bytes': '100000' },
      expect: 'done',
    },
    {
      do: 'together',
      steps: [
        { do: 'describeTopic', by: 'kcat', topic: 'orders', expect: partitionsTo(2) },
        ...unlessJava(
          client,
          { do: 'describeTopic', topic: 'orders', expect: partitionsTo(2) },
          configsOf({
            'retention.ms': ofTopic('86400000'),
            'max.message.bytes': ofTopic('100000'),
            'segment.bytes': byDefault('1073741824'),
          }),
        ),
      ],
    },
    {
      do: 'alterConfigs',
      topic: 'orders',
      set: { 'retention.ms': '-1' },
      unset: ['max.message.bytes'],
      expect: 'done',
    },
    { do: 'addPartitions', topic: 'orders', total: 3, expect: 'done' },
    {
      do: 'together',
      steps: [
        { do: 'describeTopic', topic: 'orders', expect: partitionsTo(3) },
        configsOf({
          'retention.ms': ofTopic('-1'),
          'max.message.bytes': byDefault('1048588'),
          'segment.bytes': byDefault('1073741824'),
        }),
      ],
    },
    { do: 'deleteTopic', topic: 'orders', expect: 'done' },
    { do: 'describeTopic', topic: 'orders', expect: { error: 'UNKNOWN_TOPIC_OR_PARTITION' } },
    // The name is free again, and its log begins anew.
    ...unlessJava(
      client,
      { do: 'createTopic', topic: 'orders', expect: 'done' },
      { do: 'listOffsets', topic: 'orders', partitions: 1, at: 'latest', expect: { 0: 0 } },
    ),
  ],
}

function configsOf(expect: Record<string, Json>): Step {
  return { do: 'describeConfigs', topic: 'orders', names: Object.keys(expect), expect }
}

function read(from: 'earliest' | number, first: number, reset: 'earliest' | 'none' = 'earliest'): Step {
  const count = written - first
  const expect = Array.from({ length: count }, (_, index): Json => {
    const offset = first + index
    return { partition: 0, offset, key: null, headers: [], ...recordAt(offset) }
  })
  return { do: 'consume', topic: 'events', partition: 0, from, count, reset, expect }
}

const newestOffset = 2

/** One is newer than all that come after it. */
function recordAt(offset: number) {
  const ageMs = offset === newestOffset ? 20_000 : offset * 1000
  return { value: `value ${offset}`, timestampMs: writtenMs + ageMs }
}

const records = Array.from({ length: written }, (_, offset) => recordAt(offset))

function offsets(client: ClientName): Step {
  // These are older than the question.
  const isOlder = client === 'kcat' || client === 'kafkajs'
  const asked = { do: 'listOffsets', topic: 'events', partitions: 2 } as const
  return {
    do: 'together',
    steps: [
      { ...asked, at: 'earliest', expect: { 0: 0, 1: 0 } },
      { ...asked, at: 'latest', expect: { 0: written, 1: 0 } },
      { ...asked, at: 'maxTimestamp', expect: isOlder ? { error: 'UNSUPPORTED_VERSION' } : { 0: newestOffset, 1: -1 } },
      // Each client has its own way to say that there is none.
      { ...asked, at: writtenMs + 4500 },
      ...unlessJava(client, { ...asked, at: writtenMs + 3_600_000 }),
    ],
  }
}

const afterDeletion: Step = {
  do: 'listOffsets',
  topic: 'events',
  partitions: 2,
  at: 'earliest',
  expect: { 0: 4, 1: 0 },
}

export const offsetsOfTopics: Check = {
  name: 'offsets by time, records deleted, and reads from outside of the log',
  clients: ['kcat', ...administrators],
  steps: (client) => [
    { do: 'createTopic', by: 'kafkajs', topic: 'events', partitions: 2, configs: keep, expect: 'done' },
    { do: 'produce', by: 'kafkajs', topic: 'events', partition: 0, records, expect: 'done' },
    offsets(client),
    {
      do: 'deleteRecords',
      by: client === 'kcat' ? 'kafkajs' : client,
      topic: 'events',
      partition: 0,
      before: 4,
      expect: 'done',
    },
    {
      do: 'together',
      steps: [
        ...unlessJava(client, afterDeletion, read('earliest', 4)),
        read(6, 6),
        // Before the log, and far behind its end.
        ...unlessJava(client, read(1, 4)),
        read(1000, 4),
        ...(client === 'kafkajs' ? [] : [refusedRead()]),
      ],
    },
  ],
}

/** kafkajs always begins anew somewhere. */
function refusedRead(): Step {
  return {
    do: 'consume',
    topic: 'events',
    partition: 0,
    from: 1000,
    count: 1,
    reset: 'none',
    expect: { error: 'OFFSET_OUT_OF_RANGE' },
  }
}

export const groupOffsets: Check = {
  name: 'offsets of a group set, read and deleted without a member',
  clients: administrators,
  steps: (client) => [
    { do: 'createTopic', by: 'kafkajs', topic: 'read', partitions: 2, configs: keep, expect: 'done' },
    { do: 'produce', by: 'kafkajs', topic: 'read', partition: 1, records, expect: 'done' },
    { do: 'commit', group: 'readers', topic: 'read', offsets: { 1: 7 }, expect: 'done' },
    {
      do: 'together',
      steps: [
        { do: 'committed', group: 'readers', topic: 'read', partitions: 2, expect: { 0: -1, 1: 7 } },
        ...unlessJava(client, { do: 'listGroups', group: 'readers', expect: true }),
        { do: 'describeGroup', group: 'readers', expect: { state: 'Empty', members: 0, assigned: [] } },
      ],
    },
    { do: 'deleteGroup', group: 'readers', expect: 'done' },
    ...unlessJava(client, { do: 'listGroups', group: 'readers', expect: false }),
  ],
}

/** What the broker tells of a log to those who look after it. */
export const insights: Check = {
  name: 'what the broker remembers of producers, and how large a log is',
  clients: ['platformatic', 'franz-go'],
  steps: (client) => {
    const log = { topic: 'looked-at', partition: 0 }
    const writing = { do: 'produce', by: 'franz-go', ...log, records } as const
    const remembered: Step = { do: 'producers', ...log, expect: [written - 1] }
    return [
      { do: 'createTopic', by: 'kafkajs', topic: 'looked-at', configs: keep, expect: 'done' },
      { do: 'logBytes', ...log, expect: 0 },
      { ...writing, idempotent: true, expect: 'done' },
      { ...writing, expect: 'done' },
      { do: 'logBytes', ...log },
      ...(client === 'franz-go' ? [remembered] : []),
      { do: 'commit', group: 'lookers', topic: 'looked-at', offsets: { 0: 3 }, expect: 'done' },
      { do: 'deleteOffsets', group: 'lookers', ...log, expect: 'done' },
      { do: 'committed', group: 'lookers', topic: 'looked-at', partitions: 1, expect: { 0: -1 } } as Step,
    ]
  },
}

/** Every config that there is, with its value and where that comes from. */
export const allConfigs: Check = {
  name: 'every config of a topic',
  clients: ['librdkafka', 'franz-go'],
  steps: () => [
    { do: 'createTopic', topic: 'plain', configs: { 'segment.ms': '3600000' }, expect: 'done' },
    { do: 'describeConfigs', topic: 'plain', without: ['message.downconversion.enable', 'min.insync.replicas'] },
    {
      do: 'describeConfigs',
      topic: 'plain',
      names: ['message.downconversion.enable'],
      expect: {},
      embedded: {
        answer: { 'message.downconversion.enable': byDefault('true') },
        because: 'topics of Kafka 3.9 can have it set, and are mirrored with their configs',
      },
    },
    {
      do: 'describeConfigs',
      topic: 'plain',
      names: ['min.insync.replicas'],
      expect: { 'min.insync.replicas': { value: '1', source: 'DYNAMIC_DEFAULT_BROKER_CONFIG' } },
      embedded: {
        answer: { 'min.insync.replicas': byDefault('1') },
        because: 'Apache sets it for the cluster where leaders have to be eligible (KIP-966), which takes replicas',
      },
    },
  ],
}

export const performanceTools: Check = {
  name: 'Kafka’s own tools that measure',
  clients: ['java'],
  steps: () => [
    { do: 'createTopic', by: 'kafkajs', topic: 'measured', partitions: 2, expect: 'done' },
    {
      do: 'producePerformance',
      topic: 'measured',
      records: 20_000,
      recordBytes: 500,
      idempotent: true,
      expect: 20_000,
    },
    { do: 'consumePerformance', topic: 'measured', records: 20_000, expect: 20_000 },
  ],
}
