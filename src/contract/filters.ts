import { explainError, LinkspanError } from '../base/errors.ts'

/** `consumer.offset.group.filters` and `auto.create.mirror.topics.filters`; names are those of the source. */
export interface NameFilter {
  name: string
  patternType: 'LITERAL' | 'PREFIXED'
  filterType: 'INCLUDE' | 'EXCLUDE'
}

export interface AclFilter {
  resourceType: AclResourceType
  patternType: 'ANY' | 'LITERAL' | 'PREFIXED' | 'MATCH'
  /** Missing means every name. */
  name?: string
  /** `User:x`; missing means everybody. */
  principal?: string
  operation: AclOperation
  permissionType: 'ANY' | 'ALLOW' | 'DENY'
  /** Missing means every host. */
  host?: string
}

/** One ACL, in Kafka's own words. */
export interface AclBinding {
  resourceType: Exclude<AclResourceType, 'ANY'>
  patternType: 'LITERAL' | 'PREFIXED'
  name: string
  principal: string
  operation: Exclude<AclOperation, 'ANY'>
  permissionType: 'ALLOW' | 'DENY'
  host: string
}

const resourceTypes = ['ANY', 'TOPIC', 'CLUSTER', 'GROUP', 'TRANSACTIONAL_ID', 'DELEGATION_TOKEN', 'USER'] as const
const operations = [
  'ANY',
  'ALL',
  'READ',
  'WRITE',
  'CREATE',
  'DELETE',
  'ALTER',
  'DESCRIBE',
  'CLUSTER_ACTION',
  'DESCRIBE_CONFIGS',
  'ALTER_CONFIGS',
  'IDEMPOTENT_WRITE',
  'CREATE_TOKENS',
  'DESCRIBE_TOKENS',
  'TWO_PHASE_COMMIT',
] as const
export type AclResourceType = (typeof resourceTypes)[number]
export type AclOperation = (typeof operations)[number]

const filtersMax = 1000
const filterCharactersMax = 64 * 1024

export function parseGroupFilters(text: string, key = 'consumer.offset.group.filters'): NameFilter[] {
  return parseNameFilters(text, key, 'groupFilters')
}

export function parseTopicFilters(text: string, key = 'auto.create.mirror.topics.filters'): NameFilter[] {
  return parseNameFilters(text, key, 'topicFilters')
}

/** True when at least one INCLUDE and no EXCLUDE matches, whatever their order; `*` as a literal is everything. */
export function nameSelected(filters: readonly NameFilter[], name: string): boolean {
  const matching = filters.filter((filter) => nameMatches(filter, name))
  return matching.length > 0 && matching.every(({ filterType }) => filterType === 'INCLUDE')
}

function nameMatches(filter: NameFilter, name: string): boolean {
  if (filter.patternType === 'PREFIXED') return name.startsWith(filter.name)
  return filter.name === '*' || filter.name === name
}

function parseNameFilters(text: string, key: string, member: string): NameFilter[] {
  return parseFilters(text, key, member).map((entry, index) => {
    const read = new FilterReader(entry, `${key}, filter ${index + 1}`)
    const filter = {
      name: read.text('name'),
      patternType: read.choice('patternType', ['LITERAL', 'PREFIXED']),
      filterType: read.choice('filterType', ['INCLUDE', 'EXCLUDE']),
    }
    read.end()
    return filter
  })
}

/** Throws `invalid-config`. An empty text is no filter. */
export function parseAclFilters(text: string, key = 'acl.filters'): AclFilter[] {
  return parseFilters(text, key, 'aclFilters').map((entry, index) => {
    const where = `${key}, filter ${index + 1}`
    const outer = new FilterReader(entry, where)
    const resource = new FilterReader(outer.object('resourceFilter'), `${where}, resourceFilter`)
    const access = new FilterReader(outer.object('accessFilter'), `${where}, accessFilter`)
    outer.end()
    const filter: AclFilter = {
      resourceType: resource.choice('resourceType', resourceTypes),
      patternType: resource.choice('patternType', ['ANY', 'LITERAL', 'PREFIXED', 'MATCH']),
      ...resource.optional('name'),
      ...access.optional('principal'),
      operation: access.choice('operation', operations),
      permissionType: access.choice('permissionType', ['ANY', 'ALLOW', 'DENY']),
      ...access.optional('host'),
    }
    resource.end()
    access.end()
    return filter
  })
}

/** Kafka's own rule for filters: a `MATCH` takes every ACL that would apply to the name. */
export function aclSelected(filters: readonly AclFilter[], acl: AclBinding): boolean {
  return filters.some((filter) => {
    if (filter.resourceType !== 'ANY' && filter.resourceType !== acl.resourceType) return false
    if (filter.operation !== 'ANY' && filter.operation !== acl.operation) return false
    if (filter.permissionType !== 'ANY' && filter.permissionType !== acl.permissionType) return false
    if (filter.principal !== undefined && filter.principal !== acl.principal) return false
    if (filter.host !== undefined && filter.host !== acl.host) return false
    return resourceNameMatches(filter, acl)
  })
}

function resourceNameMatches(filter: AclFilter, acl: AclBinding): boolean {
  const { patternType, name } = filter
  if ((patternType === 'LITERAL' || patternType === 'PREFIXED') && patternType !== acl.patternType) return false
  if (name === undefined || acl.name === name) return true
  if (patternType !== 'MATCH') return false
  return acl.patternType === 'PREFIXED' ? name.startsWith(acl.name) : acl.name === '*'
}

function parseFilters(text: string, key: string, member: string): unknown[] {
  if (text.trim() === '') return []
  if (text.length > filterCharactersMax) throw refuse(key, `is longer than ${filterCharactersMax} characters`)
  const value = parseJson(text, key)
  const reader = new FilterReader(value, key)
  const list = reader.list(member)
  reader.end()
  if (list.length > filtersMax) throw refuse(key, `has ${list.length} filters, at most ${filtersMax} are taken`)
  return list
}

function parseJson(text: string, key: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const typographic = /[\u2018-\u201f\u00ab\u00bb\u2032\u2033]/.exec(text)?.[0]
    if (typographic) throw refuse(key, `has the typographic quote ${typographic}; write straight quotes (")`)
    throw refuse(key, `is not JSON (${explainError(cause).replace(/\s+/g, ' ')})`)
  }
}

/** Reads one object strictly: members that nobody asked for are refused, because they would filter nothing. */
class FilterReader {
  readonly #where: string
  readonly #members: Map<string, unknown>

  constructor(value: unknown, where: string) {
    this.#where = where
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse(where, 'is not an object')
    this.#members = new Map(Object.entries(value))
  }

  list(name: string): unknown[] {
    const value = this.#take(name)
    if (!Array.isArray(value)) throw refuse(this.#where, `needs one list, "${name}"`)
    return value
  }

  object(name: string): unknown {
    return this.#take(name)
  }

  text(name: string): string {
    const value = this.#take(name)
    if (typeof value !== 'string' || value === '')
      throw refuse(this.#where, `needs "${name}", a text that is not empty`)
    return value
  }

  optional<Name extends string>(name: Name): { [Key in Name]?: string } {
    const value = this.#take(name)
    if (value === undefined || value === null) return {}
    if (typeof value !== 'string') throw refuse(this.#where, `has "${name}", which is not a text`)
    return { [name]: value } as { [Key in Name]?: string }
  }

  /** Any case; `clusterAction` and `CLUSTER_ACTION` are the same. */
  choice<Value extends string>(name: string, values: readonly Value[]): Value {
    const given = this.#take(name)
    const plain = (text: string) => text.replaceAll('_', '').toLowerCase()
    const found = typeof given === 'string' ? values.find((value) => plain(value) === plain(given)) : undefined
    if (found === undefined) throw refuse(this.#where, `needs "${name}", one of ${values.join(', ')}`)
    return found
  }

  end(): void {
    const [extra] = this.#members.keys()
    if (extra !== undefined) throw refuse(this.#where, `has the unknown member ${JSON.stringify(extra.slice(0, 60))}`)
  }

  #take(name: string): unknown {
    const value = this.#members.get(name)
    this.#members.delete(name)
    return value
  }
}

function refuse(where: string, problem: string): LinkspanError {
  return new LinkspanError('invalid-config', `${where} ${problem}`, { details: { key: where.split(',')[0] } })
}
