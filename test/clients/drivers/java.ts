import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kafkaJars } from '../../kafka/jars.ts'
import { javaCommand } from '../../kafka/java.ts'
import type { Actions, Client } from '../client.ts'
import { refusalIn } from '../errors-by-text.ts'
import type { Json } from '../steps.ts'
import { consumeByJava, joinByJava, produceByJava } from './java-records.ts'
import { outputOf } from './java-tool.ts'

/** Kafka's own Java client, by the command line tools of its newest release. */
export function openJava(): Client {
  return {
    name: 'java',
    codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    writes: { headers: 'each', timestamps: false },
    prepare: async () => {
      await javaCommand()
      await kafkaJars('4')
    },
    actions,
    join: joinByJava,
    [Symbol.asyncDispose]: async () => {},
  }
}

const actions: Actions = {
  createTopic: async (kafka, { topic, partitions = 1, configs = {} }) => {
    const settings = Object.entries(configs).flatMap(([name, value]) => ['--config', `${name}=${value}`])
    await outputOf(kafka, 'topics', ['--create', '--topic', topic, '--partitions', String(partitions), ...settings])
    return 'done'
  },
  deleteTopic: async (kafka, { topic }) => {
    await outputOf(kafka, 'topics', ['--delete', '--topic', topic])
    return 'done'
  },
  describeTopic: async (kafka, { topic }) => {
    const output = await outputOf(kafka, 'topics', ['--describe', '--topic', topic])
    const lines = output.matchAll(/Partition: (\d+)\s+Leader: (\d+)\s+Replicas: ([\d,]+)\s+Isr: ([\d,]+)/g)
    return [...lines].map(([, partition, leader, replicas, inSync]) => ({
      partition: Number(partition),
      leader: Number(leader),
      replicas: replicas!.split(',').map(Number),
      inSync: inSync!.split(',').map(Number),
    }))
  },
  describeConfigs: async (kafka, { topic, names }) => {
    const output = await outputOf(kafka, 'configs', ['--describe', '--all', '--topic', topic])
    const lines = output.matchAll(/^ {2}([\w.]+)=(.*) sensitive=false synonyms=\{(\w+)?/gm)
    const entries = [...lines].map(([, name, value, source]): [string, Json] => {
      return [name!, { value: value!, source: source ?? 'DEFAULT_CONFIG' }]
    })
    return Object.fromEntries(entries.filter(([name]) => names?.includes(name) ?? true))
  },
  alterConfigs: async (kafka, { topic, set = {}, unset = [] }) => {
    const added = Object.entries(set).map(([name, value]) => `${name}=${value}`)
    const args = ['--alter', '--topic', topic, ...(added.length > 0 ? ['--add-config', added.join(',')] : [])]
    await outputOf(kafka, 'configs', [...args, ...(unset.length > 0 ? ['--delete-config', unset.join(',')] : [])])
    return 'done'
  },
  addPartitions: async (kafka, { topic, total }) => {
    await outputOf(kafka, 'topics', ['--alter', '--topic', topic, '--partitions', String(total)])
    return 'done'
  },
  listOffsets: async (kafka, { topic, partitions, at }) => {
    const output = await outputOf(kafka, 'offsets', [
      '--topic',
      topic,
      '--time',
      at === 'maxTimestamp' ? 'max-timestamp' : String(at),
    ])
    const found = output.matchAll(/:(\d+):(-?\d*)$/gm)
    const offsets = new Map([...found].map(([, partition, offset]) => [Number(partition), Number(offset || -1)]))
    // The tool leaves out partitions where there is none.
    return Object.fromEntries(Array.from({ length: partitions }, (_, index) => [index, offsets.get(index) ?? -1]))
  },
  deleteRecords: async (kafka, { topic, partition, before: offset }) => {
    const file = join(tmpdir(), `linkspan-plan-${randomUUID()}.json`)
    await writeFile(file, JSON.stringify({ version: 1, partitions: [{ topic, partition, offset }] }))
    try {
      await outputOf(kafka, 'deleteRecords', ['--offset-json-file', file])
      return 'done'
    } finally {
      await rm(file)
    }
  },
  produce: produceByJava,
  consume: consumeByJava,
  describeGroup: async (kafka, { group }) => {
    const state = await outputOf(kafka, 'groups', ['--describe', '--state', '--group', group])
    const [, found, count] = /(Stable|Empty|Dead|\w+Rebalance)\s+(\d+)\s*$/m.exec(state) ?? []
    if (count === '0') return { state: found!, members: 0, assigned: [] }
    const members = await outputOf(kafka, 'groups', ['--describe', '--members', '--verbose', '--group', group])
    const lists = members.matchAll(/ [\w.-]+:([\d,]+)\s+\S+\s+\S+\s*$/gm)
    const assigned = [...lists]
      .map(([, list]) => list!.split(',').map(Number))
      .sort((left, right) => left[0]! - right[0]!)
    return { state: found!, members: Number(count), assigned }
  },
  listGroups: async (kafka, { group }) => (await outputOf(kafka, 'groups', ['--list'])).split('\n').includes(group),
  committed: async (kafka, { group, topic, partitions }) => {
    const output = await outputOf(kafka, 'groups', ['--describe', '--offsets', '--group', group])
    const offsets = new Map<number, number>()
    for (const line of output.split('\n')) {
      const [, ofTopic, partition, offset] = line.trim().split(/\s+/)
      if (ofTopic === topic) offsets.set(Number(partition), offset === '-' ? -1 : Number(offset))
    }
    return Object.fromEntries(Array.from({ length: partitions }, (_, index) => [index, offsets.get(index) ?? -1]))
  },
  commit: async (kafka, { group, topic, offsets }) => {
    const [first] = Object.values(offsets)
    const where = `${topic}:${Object.keys(offsets).join(',')}`
    const args = ['--reset-offsets', '--group', group, '--topic', where, '--to-offset', String(first), '--execute']
    const output = await outputOf(kafka, 'groups', args)
    if (/current state is Stable/.test(output)) throw refusalIn('GroupNotEmptyException')
    return 'done'
  },
  deleteGroup: async (kafka, { group }) => {
    await outputOf(kafka, 'groups', ['--delete', '--group', group])
    return 'done'
  },
  createAcl: async (kafka, { topic, principal }) => {
    const rule = ['--allow-principal', principal, '--operation', 'READ', '--topic', topic]
    await outputOf(kafka, 'acls', ['--add', ...rule])
    return 'done'
  },
  producePerformance: async (kafka, { topic, records, recordBytes, idempotent }) => {
    const size = ['--num-records', String(records), '--record-size', String(recordBytes), '--throughput', '-1']
    const settings = [`enable.idempotence=${idempotent}`, 'compression.type=none', 'linger.ms=5']
    const flags = settings.flatMap((setting) => ['--command-property', setting])
    const output = await outputOf(kafka, 'producerPerformance', ['--topic', topic, ...size, ...flags])
    return Number(/^(\d+) records sent, .* 99\.9th\.?$/m.exec(output)?.[1] ?? -1)
  },
  consumePerformance: async (kafka, { topic, records }) => {
    const args = ['--topic', topic, '--num-records', String(records), '--hide-header']
    const output = await outputOf(kafka, 'consumerPerformance', args)
    const [line] = output.split('\n').filter((one) => /^\d{4}-\d\d-\d\d/.test(one))
    return Number(line?.split(',')[4]?.trim() ?? -1)
  },
}
