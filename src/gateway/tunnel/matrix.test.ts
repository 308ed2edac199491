import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { forbidden, revealingKafka, topicIds } from '../../../test/support/revealing-kafka.ts'
import { linkId, type TunnelClient, TunnelWorld } from '../../../test/support/tunnel-world.ts'
import { decodeResponse } from '../../wire/frame.ts'
import type { RequestInput } from '../../wire/schema.ts'
import { tunnelPolicy } from './policy.ts'
import type { Rule } from './rule.ts'

interface Names {
  topic: 'orders' | 'viewed' | 'secret' | 'absent'
  group: 'team-a' | 'hidden' | 'vanish'
}

const granted: Names = { topic: 'orders', group: 'team-a' }
const denied: Names = { topic: 'secret', group: 'hidden' }
/** Of the same lengths, so that answers can be compared byte for byte. */
const absent: Names = { topic: 'absent', group: 'vanish' }

/** A request about these names in which every field that a link must not decide is set to something of its own. */
const samples: Record<string, (names: Names, version: number) => object> = {
  Metadata: ({ topic }, version) => ({
    topics: [{ name: topic, topicId: undefined }],
    allowAutoTopicCreation: true,
    ...(version >= 8 ? { includeTopicAuthorizedOperations: true } : {}),
    ...(version >= 8 && version <= 10 ? { includeClusterAuthorizedOperations: true } : {}),
  }),
  Fetch: ({ topic }, version) => ({
    maxWaitMs: 60_000,
    minBytes: 2 ** 30,
    maxBytes: 2 ** 30,
    topics: [
      {
        ...(version >= 13 ? { topicId: topicIds[topic] } : { topic }),
        partitions: [{ partition: 0, fetchOffset: 3, logStartOffset: 2, partitionMaxBytes: 2 ** 20 }],
      },
    ],
    ...(version >= 7 ? { forgottenTopicsData: [{ topic: version < 13 ? 'secret' : '', partitions: [0] }] } : {}),
    ...(version >= 11 ? { rackId: 'rack-1' } : {}),
    ...(version >= 12 ? { clusterId: 'mine' } : {}),
  }),
  ListOffsets: ({ topic }) => ({
    replicaId: 2 ** 31 - 1,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -1 }] }],
    timeoutMs: 60_000,
  }),
  OffsetForLeaderEpoch: ({ topic }) => ({
    replicaId: 5,
    topics: [{ topic, partitions: [{ partition: 0, leaderEpoch: 1 }] }],
  }),
  FindCoordinator: ({ group }, version) => (version >= 4 ? { coordinatorKeys: [group] } : { key: group }),
  OffsetFetch: ({ group, topic }, version) => {
    const topics = [{ name: topic, partitionIndexes: [0] }]
    return version >= 8 ? { groups: [{ groupId: group, memberId: 'm', topics }] } : { groupId: group, topics }
  },
  ListGroups: () => ({}),
  DescribeGroups: ({ group }, version) => ({
    groups: [group],
    ...(version >= 3 ? { includeAuthorizedOperations: true } : {}),
  }),
  ConsumerGroupDescribe: ({ group }) => ({ groupIds: [group], includeAuthorizedOperations: true }),
  DescribeConfigs: ({ topic }, version) => ({
    resources: [{ resourceType: 2, resourceName: topic, configurationKeys: null }],
    includeSynonyms: true,
    ...(version >= 3 ? { includeDocumentation: true } : {}),
  }),
  DescribeAcls: ({ topic }) => ({
    resourceTypeFilter: 2,
    resourceNameFilter: topic,
    patternTypeFilter: 1,
    principalFilter: null,
    hostFilter: null,
    operation: 1,
    permissionType: 1,
  }),
  DescribeProducers: ({ topic }) => ({ topics: [{ name: topic, partitionIndexes: [0] }] }),
  DescribeCluster: (_, version) => ({
    includeClusterAuthorizedOperations: true,
    ...(version >= 2 ? { includeFencedBrokers: true } : {}),
  }),
}

/** What shows in the answer that the link got what it may have. */
const shows: Record<string, RegExp> = {
  Metadata: /"nodeId":1,.*"name":"orders".*"leaderId":1/,
  Fetch: /"highWatermark":42/,
  ListOffsets: /"name":"orders".*"offset":42/,
  OffsetForLeaderEpoch: /"topic":"orders".*"endOffset":42/,
  FindCoordinator: /"nodeId":1/,
  OffsetFetch: /"name":"orders".*"committedOffset":"42"/,
  ListGroups: /"groupId":"team-a"/,
  DescribeGroups: /"groupId":"team-a","groupState":"Stable".*"memberId":"m"/,
  ConsumerGroupDescribe: /"groupId":"team-a","groupState":"Stable".*"subscribedTopicNames":\["orders","viewed"\]/,
  DescribeConfigs: /"resourceName":"orders".*"value":"42"/,
  DescribeAcls: /"resourceName":"orders","patternType":3.*User:alice/,
  DescribeProducers: /"name":"orders".*"producerId":"42"/,
  DescribeCluster: /"brokerId":1/,
}

/** What the broker must be asked, whatever the link asked. */
const reaches: Record<string, (version: number) => RegExp[]> = {
  Metadata: () => [/"allowAutoTopicCreation":false/, /"includeTopicAuthorizedOperations":false/],
  Fetch: () =>
    [/"clusterId":null/, /"replicaId":-1/, /"maxWaitMs":5000/, /"maxBytes":8388608/, /"rackId":""/].concat([
      /"sessionId":0,"sessionEpoch":-1/,
      /"forgottenTopicsData":\[\]/,
      /"logStartOffset":-1/,
      /"minBytes":8388608/,
    ]),
  ListOffsets: (version) => [/"replicaId":-1/, version >= 10 ? /"timeoutMs":5000/ : /"timeoutMs":0/],
  OffsetForLeaderEpoch: (version) => (version >= 3 ? [/"replicaId":-1/] : []),
  OffsetFetch: (version) => (version >= 9 ? [/"memberId":null/] : []),
  DescribeGroups: () => [/"includeAuthorizedOperations":false/],
  ConsumerGroupDescribe: () => [/"includeAuthorizedOperations":false/],
  DescribeConfigs: () => [/"includeSynonyms":false/, /"includeDocumentation":false/],
  DescribeAcls: () => [/"patternTypeFilter":3/],
  DescribeCluster: () => [/"includeClusterAuthorizedOperations":false/, /"includeFencedBrokers":false/],
}

let world: TunnelWorld
let client: TunnelClient

before(async () => {
  world = await TunnelWorld.start(revealingKafka())
  client = await world.dial()
  // The names of topic ids are learnt from here.
  await client.ask(tunnelPolicy[0]!.api, 12, { topics: null } as RequestInput<never>)
})

after(async () => {
  client[Symbol.dispose]()
  await world[Symbol.asyncDispose]()
})

for (const rule of tunnelPolicy) {
  const { api, versions } = rule
  for (let version = versions[0]; version <= versions[1]; version += 1) {
    test(`${api.name} v${version}: what is granted is there, the rest is as if it were not`, () => {
      return checkVersion(rule, version)
    })
  }
}

async function checkVersion({ api }: Rule, version: number): Promise<void> {
  if (client.isClosed) client = await world.dial() // of the test before, which has failed
  const ask = (names: Names) => client.ask(api, version, samples[api.name]!(names, version) as RequestInput<never>)
  world.kafka.requests.length = 0
  const answer = await ask(granted)
  assert.match(textOf(decodeResponse(api, version, answer)), shows[api.name]!)
  checkNothingRevealed(answer)
  const asked = world.kafka.requests.at(-1)
  assert.equal(asked?.clientId, linkId)
  assert.equal(asked?.version, version)
  for (const pattern of reaches[api.name]?.(version) ?? []) assert.match(textOf(asked?.body), pattern)

  world.kafka.requests.length = 0
  const ofDenied = await ask(denied)
  const reached = textOf(world.kafka.requests.map(({ body }) => body))
  if (api.name !== 'FindCoordinator') assert.doesNotMatch(reached, /secret|hidden|bbbb/)
  const ofAbsent = await ask(absent)
  assert.deepEqual(renamed(ofDenied), ofAbsent)
  checkNothingRevealed(ofAbsent)
}

function checkNothingRevealed(answer: Buffer): void {
  for (const text of forbidden) assert.equal(answer.indexOf(text), -1, `the answer holds "${text}"`)
}

/** The answer about what is denied, as if it had been asked about what is absent. */
function renamed(frame: Buffer): Buffer {
  const text = frame.toString('latin1').replaceAll(denied.topic, absent.topic).replaceAll(denied.group, absent.group)
  const id = (uuid: string) => Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('latin1')
  return Buffer.from(text.replaceAll(id(topicIds.secret), id(topicIds.absent)), 'latin1')
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner))
}
