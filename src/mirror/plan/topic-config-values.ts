/** What a source may make us set, by key: it is another party, and its values act on our brokers. */
export type ConfigRule =
  | { kind: 'number'; min: bigint; max: bigint; clamp?: boolean }
  | { kind: 'choice'; values: readonly string[] }
  | { kind: 'list'; values: readonly string[] }
  | { kind: 'fraction' }

const int32Max = 2n ** 31n - 1n
export const longMax = (2n ** 63n - 1n).toString()

const number = (min: bigint | number, max: bigint | number = 2n ** 63n - 1n): ConfigRule => {
  return { kind: 'number', min: BigInt(min), max: BigInt(max) }
}
/** Values outside are moved to the nearest that is allowed, rather than left out. */
const clamped = (min: bigint | number, max: bigint | number = 2n ** 63n - 1n): ConfigRule => {
  return { kind: 'number', min: BigInt(min), max: BigInt(max), clamp: true }
}
const flag: ConfigRule = { kind: 'choice', values: ['true', 'false'] }

/**
 * The topic configs that both Kafka 3.9 and 4.x know, and that can follow a source. Segments below a mebibyte are
 * refused by 4.1 and newer; segments and indexes that roll all the time would exhaust a broker's files.
 */
export const configRules: Readonly<Record<string, ConfigRule>> = {
  'cleanup.policy': { kind: 'list', values: ['delete', 'compact'] },
  'compression.type': { kind: 'choice', values: ['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'] },
  'compression.gzip.level': number(-1, 9),
  'compression.lz4.level': number(1, 17),
  'compression.zstd.level': number(-131_072, 22),
  'delete.retention.ms': number(0),
  'file.delete.delay.ms': number(0),
  'flush.messages': number(1),
  'flush.ms': number(0),
  'index.interval.bytes': clamped(512, int32Max),
  'max.compaction.lag.ms': number(1),
  'max.message.bytes': number(0, int32Max),
  'message.downconversion.enable': flag,
  'message.timestamp.after.max.ms': number(0),
  'message.timestamp.before.max.ms': number(0),
  'message.timestamp.type': { kind: 'choice', values: ['CreateTime', 'LogAppendTime'] },
  'min.cleanable.dirty.ratio': { kind: 'fraction' },
  'min.compaction.lag.ms': number(0),
  'min.insync.replicas': number(1, int32Max),
  preallocate: flag,
  'retention.bytes': number(-1),
  'retention.ms': number(-1),
  'segment.bytes': clamped(1024 * 1024, int32Max),
  'segment.index.bytes': clamped(64 * 1024, int32Max),
  'segment.jitter.ms': number(0),
  'segment.ms': clamped(60_000),
  'unclean.leader.election.enable': flag,
}

/** The value as it may be set here; undefined when it may not. */
export function checkedValue(name: string, value: string): string | undefined {
  const rule = configRules[name]
  if (!rule) return undefined
  switch (rule.kind) {
    case 'number':
      return checkedNumber(rule, value)
    case 'choice':
      return rule.values.includes(value) ? value : undefined
    case 'list': {
      const items = value.split(',').map((item) => item.trim())
      return items.length > 0 && items.every((item) => rule.values.includes(item)) ? items.join(',') : undefined
    }
    case 'fraction':
      return /^\d(\.\d+)?(E-?\d{1,2})?$/i.test(value) && Number(value) <= 1 ? value : undefined
  }
}

function checkedNumber(rule: ConfigRule & { kind: 'number' }, value: string): string | undefined {
  if (!/^-?\d{1,19}$/.test(value)) return undefined
  const given = BigInt(value)
  if (given >= rule.min && given <= rule.max) return given.toString()
  if (!rule.clamp) return undefined
  return (given < rule.min ? rule.min : rule.max).toString()
}
