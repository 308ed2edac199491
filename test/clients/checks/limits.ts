import type { Check, ClientName } from '../steps.ts'

/**
 * What Apache Kafka does and the embedded broker says that it does not, each with the answer that a client gets. See
 * DESIGN §6: what it lacks is not in ApiVersions.
 */
export const transactions: Check = {
  name: 'limit: transactions',
  clients: ['kafkajs', 'platformatic', 'librdkafka', 'franz-go'],
  steps: (client) => [
    { do: 'createTopic', topic: 'paid', expect: 'done' },
    {
      do: 'transact',
      topic: 'paid',
      transactionalId: 'till',
      value: 'paid',
      expect: 'done',
      embedded: {
        // The one answer that ends every client at once; kafkajs keeps it to itself.
        answer: {
          error: client === 'kafkajs' ? 'COORDINATOR_NOT_AVAILABLE' : 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
        },
        because: 'it has no transactions',
      },
    },
  ],
}

export const compaction: Check = {
  name: 'limit: compaction',
  clients: ['kafkajs', 'platformatic', 'librdkafka', 'franz-go'],
  steps: () => [
    {
      do: 'createTopic',
      topic: 'latest',
      configs: { 'cleanup.policy': 'compact' },
      expect: 'done',
      embedded: { answer: { error: 'INVALID_CONFIG' }, because: 'it deletes old records, but does not compact' },
    },
  ],
}

export const recompression: Check = {
  name: 'limit: compression by the broker',
  clients: ['kafkajs', 'platformatic', 'librdkafka', 'franz-go'],
  steps: () => [
    {
      do: 'createTopic',
      topic: 'pressed',
      configs: { 'compression.type': 'zstd' },
      expect: 'done',
      embedded: { answer: { error: 'INVALID_CONFIG' }, because: 'it stores batches as they come' },
    },
  ],
}

/** This Apache Kafka has no authorizer, the embedded broker never has one: its rights are those of Linkspan. */
export const accessControl: Check = {
  name: 'limit: access control lists',
  clients: ['kafkajs', 'platformatic', 'java', 'librdkafka', 'franz-go'],
  steps: (client) => [
    {
      do: 'createAcl',
      topic: 'guarded',
      principal: 'User:alice',
      expect: { error: 'SECURITY_DISABLED' },
      embedded: { answer: { error: missingApi(client) }, because: 'it has no access control lists' },
    },
  ],
}

/**
 * Groups whose members the broker assigns. Of the clients that can be told to use them, librdkafka waits for ever where
 * the broker has none, as it does with Apache Kafka before 4.0.
 */
export const brokerSideGroups: Check = {
  name: 'limit: the group protocol of KIP-848',
  clients: ['java'],
  steps: (client) => [
    { do: 'createTopic', by: 'kafkajs', topic: 'shared', expect: 'done' },
    { do: 'produce', by: 'kafkajs', topic: 'shared', partition: 0, records: [{ value: 'seen' }], expect: 'done' },
    { do: 'join', member: 'one', group: 'modern', topic: 'shared', protocol: 'consumer', expect: 'done' },
    {
      do: 'seen',
      members: ['one'],
      count: 1,
      expect: { 0: ['seen'] },
      embedded: { answer: { error: missingApi(client) }, because: 'its groups are classic' },
    },
  ],
}

/** What each client makes of an API that the broker does not tell of. */
function missingApi(client: ClientName): string {
  return client === 'librdkafka' ? '_UNSUPPORTED_FEATURE' : 'UNSUPPORTED_VERSION'
}
