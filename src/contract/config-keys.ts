import { LinkspanError } from '../base/errors.ts'
import type { ConfigKey, KeyFacts, Reach } from './config-key.ts'
import { behaviourKeys, linkspanKeys } from './config-keys-behaviour.ts'
import { clientKeys, securityKeysWithTwins } from './config-keys-client.ts'

/** Every key that a link's config map can hold: what both dialects, the CLI and the docs draw on. */
export const configKeys: readonly ConfigKey[] = Object.entries<KeyFacts>({
  ...behaviourKeys,
  ...clientKeys,
  ...securityKeysWithTwins,
  ...linkspanKeys,
}).map(([name, facts]) => ({ name, ...facts }))

/** Other names under which a key may be written; they are never listed. */
export const configAliases: Readonly<Record<string, string>> = {
  'consumer.offset.sync.filters': 'consumer.offset.group.filters',
  'local.listener': 'local.listener.name',
}

/** What is shown in the place of a sensitive value; written back, it means "unchanged". */
export const hiddenValue = '(hidden)'

const byName = new Map(configKeys.map((key) => [key.name, key]))
const families = configKeys.filter(({ name }) => name.endsWith('*'))
const shownCharactersMax = 60

/** The entry of a key under its own name (no alias); undefined when there is none. */
export function findConfigKey(name: string): ConfigKey | undefined {
  if (name.endsWith('*')) return undefined
  return byName.get(name) ?? families.find((family) => isOfFamily(name, family.name.slice(0, -1)))
}

function isOfFamily(name: string, prefix: string): boolean {
  return name.startsWith(prefix) && name.length > prefix.length
}

/** Of one link: its own reach counts, and that is `peer` unless it says otherwise. */
export function reachOf(config: Readonly<Record<string, string>>): Reach {
  return config['linkspan.reach'] === 'kafka' ? 'kafka' : 'peer'
}

/** The value that counts: the one that is set, or the default. Null when that is nothing. */
export function configValue(config: Readonly<Record<string, string>>, name: string): string | null {
  return config[name] ?? findConfigKey(name)?.default ?? null
}

export function configFlag(config: Readonly<Record<string, string>>, name: string): boolean {
  return configValue(config, name) === 'true'
}

/** For keys of type `integer` or `number`, which have a default. */
export function configNumber(config: Readonly<Record<string, string>>, name: string): number {
  return Number(configValue(config, name))
}

/** The names are shown so that a stray blank is seen, cut short, and not at all when one could be a token. */
export function unknownKeys(names: readonly string[]): LinkspanError {
  if (names.some(looksLikeToken)) {
    const sentence = 'What was given as a config key looks like a token: give tokens by --token, or on standard input'
    return new LinkspanError('invalid-config', sentence, { details: { rule: 'unknown' } })
  }
  const shown = names.map((name) => {
    const hint = nearestKey(name)
    return JSON.stringify(name.slice(0, shownCharactersMax)) + (hint ? ` (did you mean "${hint}"?)` : '')
  })
  const sentence = `Unknown config ${names.length === 1 ? 'key' : 'keys'} ${shown.join(', ')}`
  return new LinkspanError('invalid-config', sentence, { details: { rule: 'unknown', unknown: [...names] } })
}

/** A pasted token that ends in `=` arrives as KEY=VALUE; it holds a secret, so nothing of it may be echoed. */
function looksLikeToken(name: string): boolean {
  return /^ey[A-Za-z0-9+/_-]{10,}$/.test(name) || /^[A-Za-z0-9+/_-]{40,}$/.test(name)
}

function nearestKey(name: string): string | undefined {
  const distancesMax = Math.max(2, Math.floor(name.length / 4))
  let nearest: { name: string; distance: number } | undefined
  for (const candidate of [...byName.keys(), ...Object.keys(configAliases)]) {
    if (Math.abs(candidate.length - name.length) > distancesMax) continue
    const distance = editDistance(name.toLowerCase(), candidate)
    if (distance <= distancesMax && distance < (nearest?.distance ?? Infinity)) nearest = { name: candidate, distance }
  }
  return nearest && (configAliases[nearest.name] ?? nearest.name)
}

function editDistance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= other.length; j += 1) {
      const substitution = row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1)
      next.push(Math.min(substitution, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[other.length]!
}
