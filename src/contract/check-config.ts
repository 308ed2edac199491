import { LinkspanError } from '../base/errors.ts'
import type { ConfigKey, Dialect, Reach } from './config-key.ts'
import { configAliases, configFlag, findConfigKey, hiddenValue, reachOf, unknownKeys } from './config-keys.ts'
import { filteredFeatures } from './config-keys-behaviour.ts'
import { normaliseValue } from './config-values.ts'

export type ConfigMap = Record<string, string>
/** Null or an empty text takes a key away, which brings its default back. */
export type ConfigChanges = Readonly<Record<string, string | number | boolean | null>>

export interface CheckOptions {
  dialect: Dialect
  /** The link is being made: keys that are fixed afterwards may be set. */
  creating: boolean
}

export interface CheckedConfig {
  /** The whole map as it is to be stored; sensitive values that were not changed are as they were in `current`. */
  config: ConfigMap
  /** Keys that have another value than before: sensitive ones are not sealed yet. */
  set: string[]
  removed: string[]
}

const keysMax = 500
const keyCharactersMax = 200
const mapCharactersMax = 400_000

/**
 * Judges changes to a link's config map and gives the map that they lead to. All or nothing: throws `invalid-config` or
 * `immutable`, whose `details` have `key`, `rule` and, unless it is sensitive, `value`.
 */
export function checkConfig(
  changes: ConfigChanges,
  current: Readonly<ConfigMap>,
  options: CheckOptions,
): CheckedConfig {
  const canonical = canonicalChanges(changes)
  const config: ConfigMap = { ...current }
  if (options.creating && options.dialect === 'confluent') config['linkspan.reach'] ??= 'kafka'
  for (const [name, value] of canonical) applyChange(name, value, config, current, options)
  wipeFilters(config, current)
  checkTogether(config, options)
  checkReach(config, [...canonical.keys()])
  checkSize(config)
  return {
    config,
    set: Object.keys(config).filter((name) => config[name] !== current[name]),
    removed: Object.keys(current).filter((name) => config[name] === undefined),
  }
}

/**
 * As LXD's PUT means it: `next` is the whole map. Keys of the daemon's own (`volatile.*`) must be in it unchanged, and
 * everything else that it lacks goes.
 */
export function checkReplacedConfig(
  next: ConfigChanges,
  current: Readonly<ConfigMap>,
  options: CheckOptions,
): CheckedConfig {
  const canonical = canonicalChanges(next)
  const missing = Object.keys(current).filter((name) => !canonical.has(name))
  const changes = Object.fromEntries([...missing.map((name) => [name, null] as const), ...canonical])
  return checkConfig(changes, current, options)
}

function canonicalChanges(changes: ConfigChanges): Map<string, string | null> {
  const canonical = new Map<string, string | null>()
  const unknown: string[] = []
  for (const [given, raw] of Object.entries(changes)) {
    const trimmed = given.trim()
    const name = configAliases[trimmed] ?? trimmed
    const text = raw === null ? '' : String(raw).trim()
    const value = text === '' ? null : text
    if (!findConfigKey(name) || name.length > keyCharactersMax) unknown.push(given)
    else if (canonical.has(name) && canonical.get(name) !== value) throw invalid(name, 'twice', 'is given twice')
    else canonical.set(name, value)
  }
  if (unknown.length > 0) throw unknownKeys(unknown)
  return canonical
}

function applyChange(
  name: string,
  value: string | null,
  config: ConfigMap,
  current: Readonly<ConfigMap>,
  options: CheckOptions,
): void {
  const key = findConfigKey(name)!
  const next = value === null || (key.sensitive && value === hiddenValue) ? value : normaliseValue(key, name, value)
  if (key.sensitive && next === hiddenValue) {
    if (current[name] === undefined) throw invalid(name, 'hidden', `is not set, so ${hiddenValue} cannot stand for it`)
    return
  }
  // What comes back as it is changes nothing (LXD's clients write the whole map); nor does the default of a fixed key.
  if (next === (current[name] ?? null)) return
  if (isFixed(key, options) && (next ?? key.default) === (current[name] ?? key.default)) return
  refuseFixed(key, name, options)
  if (!key.dialects.includes(options.dialect)) {
    throw invalid(name, 'dialect', 'cannot be set here: it follows from the type of the link')
  }
  if (next === null) delete config[name]
  else config[name] = next
}

function refuseFixed(key: ConfigKey, name: string, options: CheckOptions): void {
  if (!isFixed(key, options)) return
  const reason = key.mutable === 'never' ? 'is set by the daemon' : 'can be set only when the link is created'
  const sentence = `The config key "${name}" cannot be modified: it ${reason}`
  throw new LinkspanError('immutable', sentence, { details: { key: name, rule: 'immutable' } })
}

function isFixed(key: ConfigKey, options: CheckOptions): boolean {
  return key.mutable === 'never' || (key.mutable === 'create' && !options.creating)
}

/** A feature that is turned off forgets what it was for, so that turning it on again starts afresh. */
function wipeFilters(config: ConfigMap, current: Readonly<ConfigMap>): void {
  for (const { enable, filter } of filteredFeatures) {
    if (configFlag(current, enable) && !configFlag(config, enable)) delete config[filter]
  }
}

function checkTogether(config: ConfigMap, options: CheckOptions): void {
  const prefix = config['cluster.link.prefix']
  const mode = config['link.mode'] ?? 'DESTINATION'
  if (prefix !== undefined && configFlag(config, 'acl.sync.enable')) {
    throw invalid('acl.sync.enable', 'prefix', 'cannot be true on a link with a "cluster.link.prefix"')
  }
  if (configFlag(config, 'consumer.group.prefix.enable')) {
    if (prefix === undefined) {
      throw invalid('consumer.group.prefix.enable', 'prefix', 'needs a "cluster.link.prefix"')
    }
    if (mode === 'BIDIRECTIONAL') {
      throw invalid('consumer.group.prefix.enable', 'mode', 'cannot be true on a bidirectional link')
    }
  }
  const dialsOut = (config['connection.mode'] ?? 'OUTBOUND') === 'OUTBOUND'
  if (reachOf(config) === 'kafka' && dialsOut && config['bootstrap.servers'] === undefined) {
    const remedy = options.creating ? 'give them as HOST:PORT,…' : 'it cannot be taken away'
    throw invalid('bootstrap.servers', 'required', `is needed on a link that dials Kafka: ${remedy}`)
  }
}

function checkReach(config: ConfigMap, changed: readonly string[]): void {
  const reach: Reach = reachOf(config)
  const wrong = changed.find((name) => config[name] !== undefined && !findConfigKey(name)!.reach.includes(reach))
  if (wrong === undefined) return
  const other =
    reach === 'peer' ? 'straight to Kafka (linkspan.reach=kafka)' : 'to a linked Linkspan (linkspan.reach=peer)'
  throw invalid(wrong, 'reach', `means something only on links that go ${other}`)
}

function checkSize(config: ConfigMap): void {
  const names = Object.keys(config)
  if (names.length > keysMax) throw invalid(names.at(-1)!, 'size', `is one too many: a link holds ${keysMax} keys`)
  const characters = names.reduce((sum, name) => sum + name.length + config[name]!.length, 0)
  if (characters > mapCharactersMax) {
    throw invalid(names.at(-1)!, 'size', `is too long: a link's config holds ${mapCharactersMax} characters in all`)
  }
}

function invalid(name: string, rule: string, problem: string): LinkspanError {
  return new LinkspanError('invalid-config', `The config key "${name}" ${problem}`, { details: { key: name, rule } })
}
