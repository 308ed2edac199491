import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startKafka } from '../kafka/broker.ts'
import { kafkaAvailable } from '../kafka/jars.ts'
import { kcatConsume, kcatProduce } from '../kafka/kcat.ts'
import { createTopic, kafkajs } from '../kafka/produce.ts'
import { sharedKafka } from '../kafka/shared.ts'
import type { KafkaAddress } from '../kafka/tools.ts'
import { startDaemon } from '../support/daemon.ts'
import { everyPair, linkPair } from '../support/pairs.ts'
import { waitFor } from '../support/process.ts'
import { caughtUp, cli, hasStatus, type LinkedSites, linkDaemons, linkSites, refused } from '../support/sites.ts'

const available = await kafkaAvailable('3.9', '4')

describe('the life of a mirror', available, () => {
  describe('promoted, it is equal, ordinary, and at the plain offsets of its consumers', { concurrency: 2 }, () => {
    for (const [from, to] of everyPair) {
      test(`from ${from} to ${to}`, async () => {
        await using sites = await linkPair(from, to)
        await promote(sites, `promoted-${from}-${to}-${process.pid}`)
      })
    }
  })

  async function promote(sites: LinkedSites, topic: string): Promise<void> {
    const { daemon } = sites.east
    const [source, destination] = [sites.west.kafka, sites.east.kafka]
    const group = `group-of-${topic}`
    await createTopic(source, topic, { partitions: 2, config: { 'retention.ms': '123456789' } })
    await kcatProduce(source, topic, lines('one', 400), { partition: 0 })
    await commit(source, { topic, group, offset: 123 })
    await daemon.client.kafka.configs.alter('west', offsetSync(group))
    await cli(daemon, `kafka mirror create ${topic} --link west`)
    await caughtUp(daemon, 'west', topic, [400, 0])
    await committed(destination, { topic, group, offset: 123 })
    const dry = await cli(daemon, `kafka mirror promote ${topic} --link west --dry-run`)
    assert.match(dry, /promoted/)
    await cli(daemon, `kafka mirror promote ${topic} --link west`)
    await hasStatus(daemon, 'west', topic, 'STOPPED')
    const before = await kcatConsume(source, topic)
    assert.deepEqual(await kcatConsume(destination, topic), before)
    await kcatProduce(destination, topic, [{ value: 'ours now' }], { partition: 0 })
    assert.equal((await kcatConsume(destination, topic)).find(({ value }) => value === 'ours now')?.offset, 400)
    const [pause] = await daemon.client.kafka.mirrors.pause('west', [topic])
    assert.match(pause?.error_message ?? '', /already stopped its mirror/)
    await refused(daemon, `kafka mirror pause ${topic} --link west`)
    const configs = await daemon.client.kafka.topics.configs(topic)
    assert.equal(configs.find(({ name }) => name === 'retention.ms')?.value, '123456789')
  }

  test('paused, grown, resumed, and continued after both daemons were killed', async () => {
    const [source, destination] = await Promise.all([sharedKafka('4'), sharedKafka('3.9')])
    const topic = `grown-${process.pid}`
    await using sites = await linkSites(source, destination)
    const { daemon } = sites.east
    await createTopic(source, topic)
    await kcatProduce(source, topic, lines('one', 50), { partition: 0 })
    await cli(daemon, 'kafka link configuration update west --config metadata.max.age.ms=1000')
    await cli(daemon, `kafka mirror create ${topic} --link west`)
    await caughtUp(daemon, 'west', topic, [50])
    await cli(daemon, `kafka mirror pause ${topic} --link west`)
    await hasStatus(daemon, 'west', topic, 'PAUSED')
    const admin = kafkajs(source).admin()
    await admin.connect()
    await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] })
    await admin.disconnect()
    await kcatProduce(source, topic, lines('two', 70), { partition: 2 })
    await cli(daemon, `kafka mirror resume ${topic} --link west`)
    await caughtUp(daemon, 'west', topic, [50, 0, 70])
    await daemon.kill()
    await kcatProduce(source, topic, lines('three', 30), { partition: 0 })
    await using again = await startDaemon({ name: 'east', kafka: destination.bootstrap, stateDir: daemon.stateDir })
    await caughtUp(again, 'west', topic, [80, 0, 70])
    assert.deepEqual(await kcatConsume(destination, topic), await kcatConsume(source, topic))
  })

  test('failed over when the source is dead, with the loss as far as known', async () => {
    await using source = await startKafka({ version: '4' })
    const destination = await sharedKafka('4')
    await using sites = await linkSites(source, destination)
    const { daemon } = sites.east
    const topic = `lost-${process.pid}`
    await createTopic(source, topic)
    await kcatProduce(source, topic, lines('one', 90), { partition: 0 })
    await cli(daemon, `kafka mirror create ${topic} --link west`)
    await caughtUp(daemon, 'west', topic, [90])
    const before = await kcatConsume(source, topic)
    await source.kill(source.nodes[0]!.nodeId, 'SIGKILL')
    await sites.west.daemon.kill()
    await cli(daemon, `kafka mirror failover ${topic} --link west`)
    await hasStatus(daemon, 'west', topic, 'STOPPED')
    assert.deepEqual(await kcatConsume(destination, topic), before)
  })

  test('a foreign write fails the mirror within a second, and names offset and producer', async () => {
    const [source, destination] = await Promise.all([sharedKafka('3.9'), sharedKafka('4')])
    await using sites = await linkSites(source, destination)
    const { daemon } = sites.east
    const topic = `foreign-${process.pid}`
    await createTopic(source, topic)
    await kcatProduce(source, topic, lines('one', 10), { partition: 0 })
    await cli(daemon, `kafka mirror create ${topic} --link west`)
    await caughtUp(daemon, 'west', topic, [10])
    await kcatProduce(destination, topic, [{ value: 'foreign' }], { partition: 0, idempotent: true })
    await hasStatus(daemon, 'west', topic, 'FAILED', 1500)
    const errors = await cli(daemon, `kafka mirror state-transition-error list ${topic} --link west`)
    assert.match(errors, /offset 10\b/)
    assert.match(errors, /producer/i)
    const { code } = await daemon.cli(['verify', topic, '--link', 'west'])
    assert.equal(code, 5)
  })

  test('a topic that was made anew at either side stops the mirror, and nothing is written', async () => {
    const [source, destination] = await Promise.all([sharedKafka('4'), sharedKafka('3.9')])
    await using sites = await linkSites(source, destination)
    const { daemon } = sites.east
    for (const [side, kafka] of [
      ['source', source],
      ['destination', destination],
    ] as const) {
      const topic = `anew-${side}-${process.pid}`
      await createTopic(source, topic)
      await kcatProduce(source, topic, lines('old', 20), { partition: 0 })
      await cli(daemon, `kafka mirror create ${topic} --link west`)
      await caughtUp(daemon, 'west', topic, [20])
      const admin = kafkajs(kafka).admin()
      await admin.connect()
      await admin.deleteTopics({ topics: [topic] })
      await waitFor(async () => !(await admin.listTopics()).includes(topic), { what: 'the topic is gone' })
      await createTopic(kafka, topic)
      await admin.disconnect()
      await kcatProduce(source, topic, lines('new', 30), { partition: 0 })
      await hasStatus(daemon, 'west', topic, 'FAILED')
      const left = await kcatConsume(destination, topic)
      assert.equal(left.length, side === 'source' ? 20 : 0)
    }
  })

  test('another cluster behind the same address stops the link, and nothing is written', async () => {
    await using source = await startKafka({ version: '4' })
    const destination = await sharedKafka('4')
    await using sites = await linkSites(source, destination)
    const { daemon } = sites.east
    const topic = `swapped-${process.pid}`
    await createTopic(source, topic)
    await kcatProduce(source, topic, lines('old', 15), { partition: 0 })
    await cli(daemon, `kafka mirror create ${topic} --link west`)
    await caughtUp(daemon, 'west', topic, [15])
    // The other daemon, same state and same trust, now fronts another Kafka that has a topic of that name.
    const swapped = await sharedKafka('3.9')
    await createTopic(swapped, topic)
    await kcatProduce(swapped, topic, lines('other', 40), { partition: 0 })
    const { west } = sites
    await west.daemon.stop()
    await using replaced = await startDaemon({
      name: 'west',
      kafka: swapped.bootstrap,
      stateDir: west.daemon.stateDir,
      args: ['--listen', west.daemon.ready.https],
    })
    assert.equal(replaced.ready.https, west.daemon.ready.https)
    await hasStatus(daemon, 'west', topic, 'FAILED')
    assert.equal((await kcatConsume(destination, topic)).length, 15)
  })

  const returns = [
    ['3.9', '4'],
    ['embedded', '4'],
    ['embedded', 'embedded'],
  ] as const
  describe('there and back by hand, twice, over the same topic', { concurrency: 2 }, () => {
    for (const [from, to] of returns) {
      test(`${from} and ${to}`, async () => {
        await using sites = await linkPair(from, to)
        await thereAndBack(sites, `back-${from}-${to}-${process.pid}`)
      })
    }
  })

  async function thereAndBack(sites: LinkedSites, topic: string): Promise<void> {
    const [one, two] = [sites.west.kafka, sites.east.kafka]
    await cli(sites.west.daemon, 'auth group permission add readers consumer_group can_edit')
    const [west, east] = [sites.west.daemon, sites.east.daemon]
    await createTopic(one, topic)
    await kcatProduce(one, topic, lines('start', 25), { partition: 0 })
    await cli(east, `kafka mirror create ${topic} --link west`)
    let end = 25
    for (let round = 1; round <= 2; round += 1) {
      for (const [writer, mirror, link, kafka] of [
        [one, east, 'west', two],
        [two, west, 'east', one],
      ] as const) {
        await kcatProduce(writer, topic, lines(`round ${round}`, 10), { partition: 0 })
        end += 10
        await caughtUp(mirror, link, topic, [end])
        await cli(mirror, `kafka mirror promote ${topic} --link ${link}`)
        await hasStatus(mirror, link, topic, 'STOPPED')
        assert.deepEqual(await kcatConsume(kafka, topic), await kcatConsume(writer, topic))
        const [back, backLink] = mirror === east ? [west, 'east'] : [east, 'west']
        await cli(back, `kafka mirror create ${topic} --link ${backLink} --adopt`)
      }
    }
  }
})

test('deleting the link cuts a mirror that runs over it', available, async () => {
  const [source, destination] = await Promise.all([sharedKafka('4'), sharedKafka('3.9')])
  await using owner = await startDaemon({ name: 'west', kafka: source.bootstrap })
  await using reader = await startDaemon({ name: 'east', kafka: destination.bootstrap })
  await linkDaemons(owner, reader, ['topic can_read'])
  const topic = `cut-${process.pid}`
  await createTopic(source, topic)
  await kcatProduce(source, topic, lines('seen', 5), { partition: 0 })
  await cli(reader, `kafka mirror create ${topic} --link west`)
  await caughtUp(reader, 'west', topic, [5])
  assert.match(await refused(reader, 'cluster link delete west'), new RegExp(topic))
  await cli(owner, 'cluster link delete east')
  await kcatProduce(source, topic, lines('unseen', 5), { partition: 0 })
  const [link] = await reader.client.clusterLinks.list()
  assert.equal(link?.name, 'west')
  const { cluster_link_members: members } = await reader.client.clusterLinks.state('west')
  assert.equal(members[0]?.status, 'Unauthenticated')
  assert.equal((await kcatConsume(destination, topic)).length, 5)
  await cli(reader, 'cluster link delete west --force')
  await kcatProduce(destination, topic, lines('ours', 1), { partition: 0 })
})

function lines(name: string, count: number) {
  return Array.from({ length: count }, (_, index) => ({ key: `k${index % 3}`, value: `${name} ${index}` }))
}

function offsetSync(group: string) {
  const filter = { groupFilters: [{ name: group, patternType: 'LITERAL', filterType: 'INCLUDE' }] }
  return [
    { name: 'consumer.offset.sync.enable', value: 'true' },
    { name: 'consumer.offset.sync.ms', value: '1000' },
    { name: 'consumer.offset.group.filters', value: JSON.stringify(filter) },
  ]
}

async function commit(kafka: KafkaAddress, { topic, group, offset }: GroupOffset): Promise<void> {
  const admin = kafkajs(kafka).admin()
  await admin.connect()
  await admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: String(offset) }] })
  await admin.disconnect()
}

async function committed(kafka: KafkaAddress, { topic, group, offset }: GroupOffset): Promise<void> {
  const admin = kafkajs(kafka).admin()
  await admin.connect()
  try {
    const find = async () => {
      const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
      return found?.partitions.find(({ partition }) => partition === 0)?.offset === String(offset)
    }
    await waitFor(find, { timeoutMs: 15_000, what: `${group} at ${offset}` })
  } finally {
    await admin.disconnect()
  }
}

interface GroupOffset {
  topic: string
  group: string
  offset: number
}
