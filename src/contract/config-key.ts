export type Dialect = 'lxd' | 'confluent'

/** How the link reaches its other end: a linked Linkspan, or Kafka bootstrap servers. */
export type Reach = 'peer' | 'kafka'

export type ConfigType =
  | 'boolean'
  | 'integer'
  | 'number'
  | 'text'
  | 'list'
  | 'enum'
  | 'group-filters'
  | 'topic-filters'
  | 'acl-filters'
  | 'bootstrap'
  | 'addresses'
  | 'prefix'
  | 'start-offset'
  | 'topic-configs'
  | 'schedule'

/** One key of a link's config map. Values travel and are stored as text, whatever their type. */
export interface ConfigKey {
  /** A trailing `*` stands for any ending (`user.*`). */
  name: string
  type: ConfigType
  /** What counts while the key is not set; null when that is nothing. */
  default: string | null
  min?: number
  max?: number
  /** For enums, as they are stored; given in any case. */
  values?: readonly string[]
  /** `never`: only the daemon sets it. `create`: only with the link. */
  mutable: 'always' | 'create' | 'never'
  /** Sealed where it is stored and never shown. */
  sensitive: boolean
  /** For links of which reach it means something. */
  reach: readonly Reach[]
  /** Which dialects may set it; both show it. */
  dialects: readonly Dialect[]
  description: string
}

export type KeyFacts = Omit<ConfigKey, 'name'>

type Overrides = Partial<Omit<ConfigKey, 'name' | 'type' | 'description'>>

/** A key's facts, of which only what is special needs to be said. */
export function key(
  type: ConfigType,
  fallback: string | null,
  description: string,
  overrides: Overrides = {},
): KeyFacts {
  return {
    type,
    default: fallback,
    mutable: 'always',
    sensitive: false,
    reach: ['peer', 'kafka'],
    dialects: ['lxd', 'confluent'],
    description,
    ...overrides,
  }
}

export const booleanKey = (fallback: boolean, description: string, overrides: Overrides = {}) => {
  return key('boolean', String(fallback), description, overrides)
}

/** `max` is that of a 32-bit number unless told. */
export const integerKey = (fallback: number, min: number, description: string, overrides: Overrides = {}) => {
  return key('integer', String(fallback), description, { min, max: 2_147_483_647, ...overrides })
}
