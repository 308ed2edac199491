import { once } from 'node:events'
import { systemClock } from '../src/base/clock.ts'
import { LinkspanError } from '../src/base/errors.ts'
import { formatDurationMs } from '../src/base/units.ts'
import { kafkaAvailable } from '../test/kafka/jars.ts'
import { kafkajs } from '../test/kafka/produce.ts'
import { OrderWriter, type PartitionSummary, partitions, readOrders, topic } from './orders.ts'
import { bad, command, good, output, say, table, title } from './say.ts'
import { type BrokerKind, type Site, startSite } from './site.ts'
import { watchMirror } from './watch.ts'

const backlogRounds = 40
const backlogOrdersPerRound = 250
const liveRounds = 25
const liveOrdersPerRound = 20
const readTimeoutMs = 30_000
const catchUpTimeoutMs = 60_000

/** True when the proof holds. */
export async function tellStory({ sites, keep }: { sites: [BrokerKind, BrokerKind]; keep: boolean }): Promise<boolean> {
  const startedMs = systemClock.monotonicMs()
  if (sites.includes('apache')) {
    const available = await kafkaAvailable('4')
    if (available.skip) throw new LinkspanError('unsupported', available.skip)
  }
  title('Two sites, each a Linkspan daemon and the Kafka that it fronts')
  const [west, east] = await Promise.all([startSite('west', sites[0]), startSite('east', sites[1])])
  await using first = west
  await using second = east
  for (const site of [first, second]) {
    good(`${site.name}: linkspand at ${site.https}, Kafka at ${site.kafka.bootstrap} (${site.broker})`)
  }

  await createTopics(first)
  await link(first, second)
  await showLimits(second)
  const proven = await mirrorAndFailOver(first, second)
  say()
  say(`Done in ${formatDurationMs(systemClock.monotonicMs() - startedMs)}.`)
  if (keep) await playOn(second)
  return proven
}

async function run(site: Site, words: string[], { quiet = false } = {}): Promise<string> {
  command(site.name, words)
  const result = await site.cli(words)
  if (result.code !== 0) throw new LinkspanError('internal', `linkspan ${words.join(' ')}: ${result.stderr.trim()}`)
  if (!quiet && result.stdout.trim()) output(result.stdout)
  return result.stdout
}

async function createTopics(site: Site): Promise<void> {
  title('The first site has two topics; only one of them is for the second site')
  await run(site, ['kafka', 'topic', 'create', topic, '--partitions', String(partitions)])
  await run(site, ['kafka', 'topic', 'create', 'salaries', '--partitions', '1'])
}

async function link(first: Site, second: Site): Promise<void> {
  title('Trust: a group with one permission, a token that is pasted, mutual TLS from then on')
  await run(first, ['auth', 'group', 'create', 'readers'])
  await run(first, ['auth', 'group', 'permission', 'add', 'readers', 'topic', topic, 'can_read'])
  const token = (await run(first, ['cluster', 'link', 'create', 'east', '--auth-group', 'readers', '-q'])).trim()
  await run(second, ['cluster', 'link', 'create', 'west', token])
  await run(second, ['cluster', 'link', 'list'])
}

async function showLimits(second: Site): Promise<void> {
  title('What was not granted does not exist for the second site, and no Kafka credential crosses the link')
  const words = ['kafka', 'mirror', 'create', 'salaries', '--link', 'west']
  command(second.name, words)
  const { code, stderr } = await second.cli(words)
  output(stderr)
  if (code === 0) throw new LinkspanError('internal', 'A topic that was not granted could be mirrored')
}

async function mirrorAndFailOver(first: Site, second: Site): Promise<boolean> {
  title('A backlog is written at the first site, mirrored, and followed while writing goes on')
  await using writer = await OrderWriter.open(kafkajs(first.kafka))
  for (let round = 0; round < backlogRounds; round += 1) await writer.write(backlogOrdersPerRound)
  good(`${writer.records.toLocaleString('en')} orders written by kafkajs, some without key or value, some with headers`)
  await run(second, ['kafka', 'mirror', 'create', topic, '--link', 'west'])
  const writing = (async () => {
    for (let round = 0; round < liveRounds; round += 1) await writer.write(liveOrdersPerRound)
  })()
  await watchMirror(second, {
    topic,
    link: 'west',
    timeoutMs: catchUpTimeoutMs,
    until: writing,
    ends: () => ends(writer),
  })
  good(`${writer.records.toLocaleString('en')} orders are on both sides`)

  title('Proof by Linkspan: every record of both sides compared')
  await run(second, ['verify', topic, '--link', 'west'])

  title('Failover day: the first site dies')
  await first.kill()
  bad(`${first.name}: broker and daemon killed with SIGKILL`)
  await run(second, ['kafka', 'mirror', 'failover', topic, '--link', 'west', '--wait'])
  const proven = await proveIndependently(second, writer.summaries())
  await takeOver(second)
  return proven
}

function ends(writer: OrderWriter): number[] {
  return writer.summaries().map(({ endOffset }) => endOffset)
}

/** An ordinary consumer reads the second site; what it saw is held against what the producer was told at the first. */
async function proveIndependently(second: Site, written: PartitionSummary[]): Promise<boolean> {
  title('Proof by an independent client: what kafkajs wrote at the first site, and what it reads at the second')
  const read = await readOrders(kafkajs(second.kafka), {
    groupId: 'demo-proof',
    ends: written.map(({ endOffset }) => endOffset),
    timeoutMs: readTimeoutMs,
  })
  const rows = written.map((side, partition) => {
    const other = read[partition] as PartitionSummary
    const equal = JSON.stringify(side) === JSON.stringify(other)
    const range = `${side.firstOffset}–${side.endOffset - 1}`
    return [
      partition,
      range,
      side.records,
      other.records,
      side.digest.slice(0, 16),
      other.digest.slice(0, 16),
      equal ? 'equal' : 'DIFFERENT',
    ]
  })
  for (const line of table(['partition', 'offsets', 'written', 'read', 'digest written', 'digest read', ''], rows))
    say(line)
  const proven = rows.every((row) => row.at(-1) === 'equal')
  if (proven) good('Every record has its offset, timestamp, key, value and headers: record N is record N')
  else bad('The sides differ')
  return proven
}

async function takeOver(second: Site): Promise<void> {
  title('The second site takes over: the topic is an ordinary one, and writing goes on where it ended')
  const producer = kafkajs(second.kafka).producer()
  await producer.connect()
  const [answer] = await producer.send({
    topic,
    acks: -1,
    messages: [{ value: 'first order after failover', partition: 0 }],
  })
  await producer.disconnect()
  good(`first order after failover has offset ${answer?.baseOffset} in partition 0`)
  await run(second, ['kafka', 'mirror', 'list'])
}

async function playOn(second: Site): Promise<void> {
  title('Still running; Ctrl-C ends it and removes everything')
  say(`  export LINKSPAN_DIR=${second.stateDir}`)
  say('  bin/linkspan status')
  say('  bin/linkspan kafka mirror list')
  say(`  Kafka of ${second.name}: ${second.kafka.bootstrap}`)
  await once(process, 'SIGINT')
}
