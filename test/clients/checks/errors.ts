import type { Check, ClientName, Json, Step } from '../steps.ts'
import { administrators } from './admin.ts'
import { unlessJava } from './sparing.ts'

const tooLarge = { value: 'too large '.repeat(1000) }

/** What a client makes of a topic that is not there and that nobody is to create. */
const unknownTopic: Json = { error: 'UNKNOWN_TOPIC_OR_PARTITION' }

export const refusals: Check = {
  name: 'what is refused, and by which error',
  clients: administrators,
  steps: (client) => [
    { do: 'createTopic', by: 'kafkajs', topic: 'there', partitions: 2, configs: { 'max.message.bytes': '5000' } },
    { do: 'together', steps: [...refusedTopics(client), ...refusedConfigs(client), ...refusedOthers(client)] },
  ],
}

function refusedTopics(client: ClientName): Step[] {
  const invalid = { do: 'createTopic', expect: { error: 'INVALID_CONFIG' } } as const
  return [
    { do: 'createTopic', topic: 'there', expect: { error: 'TOPIC_ALREADY_EXISTS' } },
    // Most of these Java's tools refuse by themselves.
    ...unlessJava(
      client,
      { do: 'createTopic', topic: 'no/slash', expect: { error: 'INVALID_TOPIC_EXCEPTION' } },
      { do: 'createTopic', topic: 'none', partitions: 0, expect: { error: 'INVALID_PARTITIONS' } },
      { do: 'createTopic', topic: 'copied', replicas: 3, expect: { error: 'INVALID_REPLICATION_FACTOR' } },
      { ...invalid, topic: 'invalid', configs: { 'retention.ms': 'soon' } },
      { ...invalid, topic: 'unheard', configs: { 'retention.years': '7' } },
      { do: 'addPartitions', topic: 'there', total: 1, expect: { error: 'INVALID_PARTITIONS' } },
      { do: 'addPartitions', topic: 'nowhere', total: 9, expect: unknownTopic },
      { do: 'deleteTopic', topic: 'nowhere', expect: unknownTopic },
    ),
  ]
}

function refusedConfigs(client: ClientName): Step[] {
  return [
    { do: 'alterConfigs', topic: 'there', set: { 'segment.bytes': '1' }, expect: { error: 'INVALID_CONFIG' } },
    ...unlessJava(
      client,
      { do: 'describeConfigs', topic: 'nowhere', expect: unknownTopic },
      { do: 'alterConfigs', topic: 'nowhere', set: { 'retention.ms': '1' }, expect: unknownTopic },
    ),
  ]
}

function refusedOthers(client: ClientName): Step[] {
  return [
    { do: 'produce', topic: 'there', partition: 0, records: [tooLarge], expect: { error: 'MESSAGE_TOO_LARGE' } },
    { do: 'deleteRecords', topic: 'there', partition: 0, before: 5, expect: { error: 'OFFSET_OUT_OF_RANGE' } },
    { do: 'deleteGroup', group: 'nobody', expect: { error: 'GROUP_ID_NOT_FOUND' } },
    ...unlessJava(client, {
      do: 'committed',
      group: 'nobody',
      topic: 'there',
      partitions: 2,
      expect: { 0: -1, 1: -1 },
    }),
  ]
}

/** Automatic creation is off at both brokers. */
export const topicsNotThere: Check = {
  name: 'a topic that is not there',
  clients: ['kcat', 'kafkajs', 'platformatic', 'java', 'librdkafka', 'franz-go'],
  steps: (client) => {
    const read: Step = { do: 'consume', topic: 'nowhere', from: 'earliest', count: 1, expect: unknownTopic }
    return [
      {
        do: 'together',
        steps: [
          ...unlessJava(client, { do: 'describeTopic', topic: 'nowhere', expect: unknownTopic }),
          { do: 'produce', topic: 'nowhere', partition: 0, records: [{ value: 'lost' }], expect: unknownTopic },
          // Java's console consumer waits for the topic, without a word.
          ...unlessJava(client, read),
        ],
      },
    ]
  },
}
