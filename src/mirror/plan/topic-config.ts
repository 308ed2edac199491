import { alwaysSyncedTopicConfigs } from '../../contract/config-keys-behaviour.ts'
import type { ConfigEntry } from '../../kafka/admin/configs.ts'
import { checkedValue, configRules, longMax } from './topic-config-values.ts'

/**
 * While a topic is a mirror, these have values of ours, so that every batch of the source is taken as it is and nothing
 * goes before it goes at the source. At promotion they get the source's values.
 */
const pinned: Readonly<Record<string, string>> = {
  'compression.type': 'producer',
  'message.timestamp.type': 'CreateTime',
  'message.timestamp.before.max.ms': longMax,
  'message.timestamp.after.max.ms': longMax,
  'max.message.bytes': String(100 * 1024 * 1024),
  'min.compaction.lag.ms': longMax,
  'max.compaction.lag.ms': longMax,
  'unclean.leader.election.enable': 'false',
}

/** Pinned while they follow the source: the log start is moved as the source's moves, by our own hand. */
const pinnedRetention: Readonly<Record<string, string>> = { 'retention.ms': '-1', 'retention.bytes': '-1' }

/** What may be given at creation for one topic alone. The rest either follows the source or keeps the copy exact. */
const fixed: ReadonlySet<string> = new Set([...alwaysSyncedTopicConfigs, ...Object.keys(pinned)])

export interface ConfigPlanFacts {
  /** Values of the source that count, see `followedConfigs`. */
  source: Readonly<Record<string, string>>
  /** Given at creation. */
  local: Readonly<Record<string, string>>
  /** Replicas of each partition here; undefined when the broker decides. */
  replicationFactor: number | undefined
  /** The keys that follow the source, `topic.config.sync.include`. */
  include: readonly string[]
}

export interface SkippedConfig {
  name: string
  value: string
}

/**
 * Of the source's configs, those that follow: what is set on the topic, and what its brokers set for all topics, since
 * ours may set it otherwise. Defaults of Kafka are left out. Values that may not be set here are told apart.
 */
export function followedConfigs(
  entries: readonly ConfigEntry[],
  include: readonly string[],
): { followed: Record<string, string>; skipped: SkippedConfig[] } {
  const followed: Record<string, string> = {}
  const skipped: SkippedConfig[] = []
  for (const { name, value, source, sensitive } of entries) {
    if (value === null || sensitive || source === 'default' || source === 'other') continue
    if (!include.includes(name) || !configRules[name]) continue
    const checked = checkedValue(name, value)
    if (checked === undefined) skipped.push({ name, value })
    else followed[name] = checked
  }
  return { followed, skipped }
}

/** The configs that a topic is to have while it is a mirror. */
export function mirrorConfigs(facts: ConfigPlanFacts): Record<string, string> {
  const retention = followsRetention(facts) ? pinnedRetention : {}
  return { ...ordinaryConfigs(facts), ...retention, ...pinned }
}

/** The configs that it is to have when it is an ordinary topic again: the source's, and its own. */
export function ordinaryConfigs({ source, local, replicationFactor }: ConfigPlanFacts): Record<string, string> {
  const configs = { ...source, ...local }
  const replicas = configs['min.insync.replicas']
  if (replicas !== undefined && local['min.insync.replicas'] === undefined) {
    // More than the replicas allow would refuse every write; one may be down.
    const most = replicationFactor === undefined ? 1 : Math.max(1, replicationFactor - 1)
    configs['min.insync.replicas'] = String(Math.min(Number(replicas), most))
  }
  return configs
}

/** Whether old records go here when they go at the source: unless link or mirror were told to keep their own time. */
export function followsRetention({ include, local }: Pick<ConfigPlanFacts, 'include' | 'local'>): boolean {
  return Object.keys(pinnedRetention).every((name) => include.includes(name) && local[name] === undefined)
}

/** Changes that lead from what is set on a topic to what shall be; null takes a key away. Empty: nothing to do. */
export function configChanges(
  current: readonly Pick<ConfigEntry, 'name' | 'value' | 'source'>[],
  wanted: Readonly<Record<string, string>>,
  governed: (name: string) => boolean,
): Record<string, string | null> {
  const changes: Record<string, string | null> = {}
  const set = new Map(current.filter(({ source }) => source === 'topic').map(({ name, value }) => [name, value]))
  for (const [name, value] of Object.entries(wanted)) {
    if (governed(name) && set.get(name) !== value) changes[name] = value
  }
  for (const name of set.keys()) if (wanted[name] === undefined && governed(name)) changes[name] = null
  return changes
}

/** Whether a key of a mirror topic is ours to set or take away; what was given for it alone is its owner's. */
export function isGoverned(facts: Pick<ConfigPlanFacts, 'include' | 'local'>): (name: string) => boolean {
  return (name) => {
    if (facts.local[name] !== undefined) return false
    if (name in pinnedRetention && followsRetention(facts)) return true
    return pinned[name] !== undefined || (facts.include.includes(name) && configRules[name] !== undefined)
  }
}

/** Why a config cannot be given for one mirror alone; undefined when it can. */
export function fixedConfigProblem(name: string): string | undefined {
  if (!fixed.has(name)) return undefined
  return `"${name}" cannot be set on a mirror topic: it follows the source, or keeps the copy exact`
}
