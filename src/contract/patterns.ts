import { type EntityRef, type EntityType, entityTable, splitEntityUrl } from './entities.ts'

/**
 * Which entities of a type a permission is about: one by its name, those with a prefix, or all. In an address a missing
 * name means all, a trailing `*` a prefix, and `\*` the character.
 */
export interface EntityPattern {
  type: EntityType
  kind: 'exact' | 'prefix' | 'all'
  /** The name or the prefix; empty for all. */
  name: string
}

/** Undefined when the address is of no known form. Throws `invalid-request` for a bad escape. */
export function parseEntityPattern(url: string): EntityPattern | undefined {
  const found = splitEntityUrl(url)
  if (!found) return undefined
  const { type, name } = found
  if (type === 'server') return { type, kind: 'exact', name: '' }
  if (name === undefined || name === '*') return { type, kind: 'all', name: '' }
  if (/(?<!\\)\*$/.test(name)) return { type, kind: 'prefix', name: unescapeStars(name.slice(0, -1)) }
  return { type, kind: 'exact', name: unescapeStars(name) }
}

/** The one way in which a pattern is written: how permissions are stored and shown. */
export function patternUrl(pattern: EntityPattern): string {
  const { url } = entityTable[pattern.type]
  if (pattern.type === 'server') return url
  if (pattern.kind === 'all') return url.slice(0, -1)
  const segment = encodeURIComponent(pattern.name.replaceAll('*', '\\*'))
  return url + segment + (pattern.kind === 'prefix' ? '*' : '')
}

/** The pattern that covers nothing but this entity. */
export function exactPattern(ref: EntityRef): EntityPattern {
  return { type: ref.type, kind: 'exact', name: ref.name }
}

/** Kafka's own topics, ours and those of other tools: only their exact name covers them, never a prefix nor "all". */
export function isInternalName(ref: EntityRef): boolean {
  return ref.type === 'topic' && ref.name.startsWith('__')
}

export function patternCovers(pattern: EntityPattern, ref: EntityRef): boolean {
  if (pattern.type !== ref.type) return false
  if (pattern.kind === 'exact') return pattern.name === ref.name
  return !isInternalName(ref) && ref.name.startsWith(pattern.name)
}

function unescapeStars(text: string): string {
  return text.replaceAll('\\*', '*')
}
