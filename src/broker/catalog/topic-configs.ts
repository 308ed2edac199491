import type { LogConfig } from '../log/types.ts'
import {
  type ConfigRule,
  flag,
  fraction,
  gzipLevel,
  int,
  listItems,
  listOf,
  long,
  longMax,
  oneOf,
  throttledReplicas,
} from './config-values.ts'
import { done, type Outcome, refused } from './outcome.ts'

/** What is known of one topic config. */
export interface TopicConfigKey extends ConfigRule {
  readonly default: string
  /** The broker's key that gives the default of all topics; null when there is none. */
  readonly brokerKey: string | null
  /** Where Kafka's own default stands under another key of the broker. */
  readonly brokerDefault?: readonly [key: string, value: string]
  /** Why this broker does not do what Kafka would by that value; undefined when it does. */
  readonly notHere?: (value: string) => string | undefined
}

const int32Max = 2 ** 31 - 1

function key(rule: ConfigRule, fallback: string, brokerKey: string | null, more: Partial<TopicConfigKey> = {}) {
  return { ...rule, default: fallback, brokerKey, ...more } satisfies TopicConfigKey
}

/**
 * The topic configs of Kafka 4.3 and, of those that went with 4.0, what a topic of a 3.9 source can have set
 * (`message.downconversion.enable`). Names, types, defaults and ranges are Kafka's.
 */
export const topicConfigKeys: Readonly<Record<string, TopicConfigKey>> = {
  // What this broker acts on: see `logConfigOf`.
  'index.interval.bytes': key(int(0), '4096', 'log.index.interval.bytes'),
  'max.message.bytes': key(int(0), '1048588', 'message.max.bytes'),
  'message.timestamp.after.max.ms': key(long(0), '3600000', 'log.message.timestamp.after.max.ms'),
  'message.timestamp.before.max.ms': key(long(0), longMax, 'log.message.timestamp.before.max.ms'),
  'message.timestamp.type': key(oneOf('CreateTime', 'LogAppendTime'), 'CreateTime', 'log.message.timestamp.type'),
  'retention.bytes': key(long(), '-1', 'log.retention.bytes'),
  'retention.ms': key(long(-1), '604800000', 'log.retention.ms', { brokerDefault: ['log.retention.hours', '168'] }),
  'segment.bytes': key(int(1024 * 1024), '1073741824', 'log.segment.bytes'),
  'segment.ms': key(long(1), '604800000', 'log.roll.ms', { brokerDefault: ['log.roll.hours', '168'] }),
  // Of these this broker knows one value each.
  'cleanup.policy': key(listOf('compact', 'delete'), 'delete', 'log.cleanup.policy', { notHere: otherPolicy }),
  'compression.type': key(
    oneOf('uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'),
    'producer',
    'compression.type',
    { notHere: recompression },
  ),
  'remote.storage.enable': key(flag, 'false', null, { notHere: tieredStorage }),
  // Without effect on one node that neither compacts nor compresses, and flushes before each acknowledgement.
  'compression.gzip.level': key(gzipLevel, '-1', 'compression.gzip.level'),
  'compression.lz4.level': key(int(1, 17), '9', 'compression.lz4.level'),
  'compression.zstd.level': key(int(-131_072, 22), '3', 'compression.zstd.level'),
  'delete.retention.ms': key(long(0), '86400000', 'log.cleaner.delete.retention.ms'),
  'file.delete.delay.ms': key(long(0), '60000', 'log.segment.delete.delay.ms'),
  'flush.messages': key(long(1), longMax, 'log.flush.interval.messages'),
  'flush.ms': key(long(0), longMax, 'log.flush.interval.ms', {
    brokerDefault: ['log.flush.scheduler.interval.ms', longMax],
  }),
  'follower.replication.throttled.replicas': key(throttledReplicas, '', null),
  'leader.replication.throttled.replicas': key(throttledReplicas, '', null),
  'local.retention.bytes': key(long(-2), '-2', 'log.local.retention.bytes'),
  'local.retention.ms': key(long(-2), '-2', 'log.local.retention.ms'),
  'max.compaction.lag.ms': key(long(1), longMax, 'log.cleaner.max.compaction.lag.ms'),
  'message.downconversion.enable': key(flag, 'true', null),
  'min.cleanable.dirty.ratio': key(fraction(0, 1), '0.5', 'log.cleaner.min.cleanable.ratio'),
  'min.compaction.lag.ms': key(long(0), '0', 'log.cleaner.min.compaction.lag.ms'),
  'min.insync.replicas': key(int(1, int32Max), '1', 'min.insync.replicas'),
  preallocate: key(flag, 'false', 'log.preallocate'),
  'remote.log.copy.disable': key(flag, 'false', null),
  'remote.log.delete.on.disable': key(flag, 'false', null),
  'segment.index.bytes': key(int(4), '10485760', 'log.index.size.max.bytes'),
  'segment.jitter.ms': key(long(0), '0', 'log.roll.jitter.ms', { brokerDefault: ['log.roll.jitter.hours', '0'] }),
  'unclean.leader.election.enable': key(flag, 'false', 'unclean.leader.election.enable'),
}

/** Marks a topic as a mirror of our own daemon, which alone sees and sets it (`kafka/raw-append.ts`). */
export { mirrorConfigKey } from '../../kafka/raw-append.ts'

function otherPolicy(value: string): string | undefined {
  if (value === 'delete') return undefined
  if (listItems(value).includes('compact')) {
    return (
      'cleanup.policy: this broker deletes old records, but does not compact: ' +
      'use cleanup.policy=delete (with retention.ms=-1 to keep everything), or keep the topic on Apache Kafka'
    )
  }
  return 'cleanup.policy: use delete, and retention.ms=-1 with retention.bytes=-1 to keep everything'
}

function recompression(value: string): string | undefined {
  if (value === 'producer') return undefined
  return (
    `compression.type: this broker stores batches as they come, so it cannot make them ${value}: ` +
    'use compression.type=producer and set the codec at the producers'
  )
}

function tieredStorage(value: string): string | undefined {
  if (value === 'false') return undefined
  return 'Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage.'
}

/** Of a string in Kafka's protocol. No value holds anything but ASCII. */
const valueBytesMax = 32_767
const tooLong = 'The configuration value cannot be added because it exceeds the maximum value size of 32767 bytes.'

/** The values as they are to be kept, judged in Kafka's order: all names, then each value, then what goes together. */
export function checkTopicConfigs(given: Readonly<Record<string, string>>): Outcome<Record<string, string>> {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(topicConfigKeys, name))
  if (unknown !== undefined) return refused('INVALID_CONFIG', `Unknown topic config name: ${unknown}`)
  const checked: Record<string, string> = {}
  for (const [name, text] of Object.entries(given)) {
    const parsed = topicConfigKeys[name]!.parse(text, name)
    if (!parsed.ok) {
      const { shown, problem } = parsed
      return refused('INVALID_CONFIG', `Invalid value ${shown} for configuration ${name}: ${problem}`)
    }
    if (parsed.value.length > valueBytesMax) return refused('INVALID_CONFIG', tooLong)
    checked[name] = parsed.value
  }
  for (const [name, value] of Object.entries(checked)) {
    const problem = topicConfigKeys[name]!.notHere?.(value)
    if (problem) return refused('INVALID_CONFIG', problem)
  }
  const lags = ['min.compaction.lag.ms', 'max.compaction.lag.ms'].map((name) => BigInt(effectiveValue(checked, name)))
  if (lags[0]! > lags[1]!) {
    const conflict = `min.compaction.lag.ms (${lags[0]}) > max.compaction.lag.ms (${lags[1]})`
    return refused('INVALID_CONFIG', `conflict topic config setting ${conflict}`)
  }
  return done(checked)
}

function effectiveValue(configs: Readonly<Record<string, string>>, name: string): string {
  return configs[name] ?? topicConfigKeys[name]!.default
}

/** What of a topic's values concerns its logs. */
export function logConfigOf(value: (name: string) => string): LogConfig {
  const number = (name: string) => limited(value(name))
  return {
    segmentBytes: number('segment.bytes'),
    segmentMs: Math.min(Number(value('segment.ms')), Number.MAX_SAFE_INTEGER),
    retentionMs: number('retention.ms'),
    retentionBytes: number('retention.bytes'),
    messageBytesMax: number('max.message.bytes'),
    timestampType: value('message.timestamp.type') === 'LogAppendTime' ? 'LogAppendTime' : 'CreateTime',
    timestampBeforeMaxMs: number('message.timestamp.before.max.ms'),
    timestampAfterMaxMs: number('message.timestamp.after.max.ms'),
    indexIntervalBytes: number('index.interval.bytes'),
  }
}

/** Kafka writes "no limit" as the largest 64-bit number, or as any negative one. */
function limited(text: string): number {
  const number = Number(text)
  return number < 0 || number > Number.MAX_SAFE_INTEGER ? -1 : number
}
