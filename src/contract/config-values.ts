import { isLinkspanError, LinkspanError } from '../base/errors.ts'
import type { ConfigKey } from './config-key.ts'
import {
  alwaysSyncedTopicConfigs,
  independentTopicConfigPrefixes,
  independentTopicConfigs,
} from './config-keys-behaviour.ts'
import { parseAclFilters, parseGroupFilters, parseTopicFilters } from './filters.ts'
import { intervalMs } from './schedule.ts'

const valueCharactersMax = 100_000
const prefixCharactersMax = 12
const itemsMax = 1000

/** The value as it is stored. Throws `invalid-config`, which names key, rule and (unless it is secret) value. */
export function normaliseValue(key: ConfigKey, name: string, value: string): string {
  if (value.length > valueCharactersMax) throw refuse(key, name, value, `at most ${valueCharactersMax} characters long`)
  switch (key.type) {
    case 'text':
      return value
    case 'boolean':
      return booleanText(key, name, value)
    case 'integer':
    case 'number':
      return numberText(key, name, value)
    case 'enum':
      return enumText(key, name, value)
    case 'list':
      return splitList(value).join(',')
    case 'bootstrap':
      return bootstrapText(key, name, value)
    case 'addresses':
      return addressesText(key, name, value)
    case 'prefix':
      return prefixText(key, name, value)
    case 'schedule':
      return scheduleText(key, name, value)
    case 'start-offset':
      return startOffsetText(key, name, value)
    case 'topic-configs':
      return topicConfigsText(key, name, value)
    case 'group-filters':
      return checked(name, value, () => parseGroupFilters(value, name))
    case 'topic-filters':
      return checked(name, value, () => parseTopicFilters(value, name))
    case 'acl-filters':
      return checked(name, value, () => parseAclFilters(value, name))
  }
}

function booleanText(key: ConfigKey, name: string, value: string): string {
  const text = value.toLowerCase()
  if (text !== 'true' && text !== 'false') throw refuse(key, name, value, 'true or false')
  return text
}

function numberText(key: ConfigKey, name: string, value: string): string {
  const { min = -Infinity, max = Infinity } = key
  const form = key.type === 'integer' ? /^[+-]?\d{1,15}$/ : /^[+-]?\d{1,15}(\.\d{1,15})?$/
  const number = form.test(value) ? Number(value) : Number.NaN
  if (!(number >= min && number <= max)) {
    const kind = key.type === 'integer' ? 'a whole number' : 'a number'
    throw refuse(key, name, value, `${kind} from ${min} to ${max}`)
  }
  return String(number === 0 ? 0 : number)
}

function enumText(key: ConfigKey, name: string, value: string): string {
  const values = key.values ?? []
  const found = values.find((candidate) => candidate.toLowerCase() === value.toLowerCase())
  if (found === undefined) throw refuse(key, name, value, `one of ${values.join(', ')}`)
  return found
}

function splitList(value: string): string[] {
  const items = value.split(',').map((item) => item.trim())
  return items.filter((item) => item !== '')
}

const hostPort = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?)):(\d{1,5})$/

function isHostPort(text: string): boolean {
  const port = Number(hostPort.exec(text)?.[3] ?? 0)
  return port > 0 && port <= 65_535
}

function bootstrapText(key: ConfigKey, name: string, value: string): string {
  const servers = splitList(value).map((item) => item.replace(/^[A-Za-z_]+:\/\//, ''))
  if (servers.length === 0 || servers.length > itemsMax || !servers.every(isHostPort)) {
    throw refuse(key, name, value, 'a list of HOST:PORT')
  }
  return servers.join(',')
}

function addressesText(key: ConfigKey, name: string, value: string): string {
  const addresses = splitList(value)
  if (!addresses.every(isHostPort)) throw refuse(key, name, value, 'a list of HOST:PORT')
  return addresses.join(',')
}

function prefixText(key: ConfigKey, name: string, value: string): string {
  if (!/^[A-Za-z0-9._-]+$/.test(value) || value.length > prefixCharactersMax) {
    throw refuse(key, name, value, `at most ${prefixCharactersMax} letters, digits, dots, hyphens or underscores`)
  }
  // Such mirrors would be internal topics, which permissions by pattern never cover.
  if (value.startsWith('__')) throw refuse(key, name, value, 'something that does not start with two underscores')
  return value
}

function scheduleText(key: ConfigKey, name: string, value: string): string {
  const text = value.trim().toLowerCase()
  if (intervalMs(text) !== undefined) return text
  throw refuse(key, name, value, '@hourly, @daily, @weekly, or an interval such as 30m, 6h or 2d')
}

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)$/

function startOffsetText(key: ConfigKey, name: string, value: string): string {
  const text = value.toLowerCase()
  if (text === 'earliest' || text === 'latest') return text
  if (!instant.test(value) || Number.isNaN(Date.parse(value))) {
    throw refuse(key, name, value, 'earliest, latest or a time such as 2026-05-01T00:00:00.000Z')
  }
  return value
}

function topicConfigsText(key: ConfigKey, name: string, value: string): string {
  const items = [...new Set(splitList(value))]
  if (items.length > itemsMax || !items.every((item) => /^[a-z0-9.]{1,200}$/.test(item))) {
    throw refuse(key, name, value, 'a list of topic config names')
  }
  const missing = alwaysSyncedTopicConfigs.find((config) => !items.includes(config))
  if (missing) throw refuse(key, name, value, `a list with ${missing}, which a mirror always shares with its source`)
  const independent = items.find(isIndependent)
  if (independent) throw refuse(key, name, value, `a list without ${independent}, which belongs to each cluster alone`)
  return items.join(',')
}

function isIndependent(config: string): boolean {
  if ((independentTopicConfigs as readonly string[]).includes(config)) return true
  return independentTopicConfigPrefixes.some((prefix) => config.startsWith(prefix))
}

/** Filters are stored as they came: their blanks and their order are the operator's. */
function checked(name: string, value: string, parse: () => unknown): string {
  try {
    parse()
    return value
  } catch (error) {
    if (!isLinkspanError(error)) throw error
    const details = { key: name, rule: 'filters', value }
    throw new LinkspanError('invalid-config', error.message, { details })
  }
}

function refuse(key: ConfigKey, name: string, value: string, expected: string): LinkspanError {
  const got = key.sensitive ? '' : `, got ${JSON.stringify(value.slice(0, 100))}`
  const details = { key: name, rule: expected, ...(key.sensitive ? {} : { value: value.slice(0, 1000) }) }
  return new LinkspanError('invalid-config', `The config key "${name}" must be ${expected}${got}`, { details })
}
