import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { tunnelPolicy, versionsOf } from '../../src/gateway/tunnel/policy.ts'
import type { TunnelRights } from '../../src/gateway/tunnel/rights.ts'
import { produceBatch } from '../../src/kafka/admin/produce.ts'
import { openCluster } from '../../src/kafka/open-cluster.ts'
import { fetch } from '../../src/wire/api/01-fetch.ts'
import { metadata } from '../../src/wire/api/03-metadata.ts'
import { apiVersions } from '../../src/wire/api/18-api-versions.ts'
import { kafkaErrors } from '../../src/wire/errors.ts'
import { decodeResponse } from '../../src/wire/frame.ts'
import type { RequestInput } from '../../src/wire/schema.ts'
import { TunnelWorld } from '../support/tunnel-world.ts'
import { kafkaAvailable, kafkaVersions } from './jars.ts'
import { batchOf, makeTopic, ownClient } from './own-client.ts'
import { sharedKafka } from './shared.ts'

const available = await kafkaAvailable()

function rightsTo(allowed: (name: string) => boolean): TunnelRights {
  return {
    mayViewTopic: allowed,
    mayReadTopic: allowed,
    mayViewTopicAcls: allowed,
    mayViewGroup: allowed,
    mayViewGroupAcls: allowed,
  }
}

const everything = rightsTo(() => true)
const nothing = rightsTo(() => false)

const absentId = '00000000-0000-4000-8000-00000000cccc'
const name = 'tunnel-absent'
const partitionIndexes = [0]

/** Each asks for something that the cluster does not have. */
const requests: Record<string, (version: number) => object> = {
  Metadata: () => ({ topics: [{ name }] }),
  Fetch: (version) => {
    const which = version >= 13 ? { topicId: absentId } : { topic: name }
    return { topics: [{ ...which, partitions: [{ partition: 0, partitionMaxBytes: 1000 }] }] }
  },
  ListOffsets: () => ({ topics: [{ name, partitions: [{ partitionIndex: 0, timestamp: -1 }] }] }),
  OffsetForLeaderEpoch: () => ({ topics: [{ topic: name, partitions: [{ partition: 0, leaderEpoch: 0 }] }] }),
  FindCoordinator: (version) => (version >= 4 ? { coordinatorKeys: [name] } : { key: name }),
  OffsetFetch: (version) => {
    const asked = { groupId: name, topics: [{ name, partitionIndexes }] }
    return version >= 8 ? { groups: [asked] } : asked
  },
  DescribeGroups: () => ({ groups: [name] }),
  ConsumerGroupDescribe: () => ({ groupIds: [name] }),
  DescribeConfigs: () => ({ resources: [{ resourceType: 2, resourceName: name, configurationKeys: null }] }),
  DescribeProducers: () => ({ topics: [{ name, partitionIndexes }] }),
}

function isUnsupported(answer: unknown): boolean {
  const { groups = [] } = answer as { groups?: { errorCode: number }[] }
  return groups.some(({ errorCode }) => errorCode === kafkaErrors.UNSUPPORTED_VERSION)
}

for (const line of Object.keys(kafkaVersions) as (keyof typeof kafkaVersions)[]) {
  describe(`the tunnel before Kafka ${kafkaVersions[line]}`, available, () => {
    let world: TunnelWorld<{ port: number }>
    const topic = `tunnel-orders-${process.pid}`

    before(async () => {
      const kafka = await sharedKafka(line)
      world = await TunnelWorld.before({ port: Number(kafka.bootstrap.split(':').at(-1)) })
      await using cluster = await ownClient(kafka.config())
      await makeTopic(cluster, topic)
      await produceBatch(cluster, { topic, partition: 0 }, batchOf('one', 'two'))
      await cluster.coordinator(name) // so that the broker has made its topic of offsets
    })

    after(() => world[Symbol.asyncDispose]())

    test('what is not permitted answers as what Kafka does not have', async () => {
      using client = await world.dial()
      const spoken = decodeResponse(apiVersions, 4, await client.ask(apiVersions, 4, {}))
      let compared = 0
      for (const rule of tunnelPolicy) {
        const { api } = rule
        const request = requests[api.name]
        const told = spoken.apiKeys.find(({ apiKey }) => apiKey === api.key)
        const range = versionsOf(rule, () => told && [told.minVersion, told.maxVersion])
        if (!range || !request) continue
        for (let version = range[0]; version <= range[1]; version += 1) {
          const answers: unknown[] = []
          for (const rights of [everything, nothing]) {
            world.rights = rights
            const frame = await client.ask(api, version, request(version) as RequestInput<never>)
            answers.push({ ...decodeResponse(api, version, frame), throttleTimeMs: 0 })
          }
          if (isUnsupported(answers[0])) continue // the broker lists it, but its group protocol is switched off
          assert.deepEqual(answers[1], answers[0], `${api.name} v${version}`)
          compared += 1
        }
      }
      assert.ok(compared > 40, `${compared} versions were compared`)
    })

    test('our client finds its way by node ids, and reads the very bytes of the log', async () => {
      world.rights = rightsTo((asked) => asked === topic)
      await using linked = openCluster(world.spec, { log: silentLog, clock: systemClock })
      const kafka = await sharedKafka(line)
      await using direct = await ownClient(kafka.config())
      const { topics } = await linked.request({ to: 'any' }, metadata, { topics: null })
      assert.deepEqual(
        topics.map((one) => one.name),
        [topic],
      )
      const id = topics[0]?.topicId
      const asked = { maxBytes: 1e6, topics: [{ topicId: id, partitions: [{ partition: 0, partitionMaxBytes: 1e6 }] }] }
      const read = async (cluster: typeof linked) => {
        const answer = await cluster.request({ to: 'leader', topic, partition: 0 }, fetch, asked, { versionMax: 15 })
        return answer.responses[0]?.partitions[0]
      }
      const through = await read(linked)
      assert.equal(through?.highWatermark, 2)
      assert.deepEqual(through, await read(direct))
    })
  })
}
