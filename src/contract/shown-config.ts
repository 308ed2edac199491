import type { ConfigMap } from './check-config.ts'
import type { ConfigKey } from './config-key.ts'
import { configKeys, configValue, findConfigKey, hiddenValue, reachOf } from './config-keys.ts'

/** What may be shown of a config map in LXD's dialect: what is set, sensitive values hidden. */
export function shownConfig(config: Readonly<ConfigMap>): ConfigMap {
  const shown = Object.entries(config).map(([name, value]) => {
    return [name, findConfigKey(name)?.sensitive ? hiddenValue : value] as const
  })
  return Object.fromEntries(shown)
}

export interface DescribedConfig {
  key: ConfigKey
  name: string
  /** Null when it is sensitive, or when there is neither a value nor a default. */
  value: string | null
  isDefault: boolean
  /** Cannot be changed any more. */
  isReadOnly: boolean
}

/** The whole catalogue as far as it means something for this link, and what is set of its families; sorted by name. */
export function describeConfig(config: Readonly<ConfigMap>): DescribedConfig[] {
  const reach = reachOf(config)
  const catalogue = configKeys.filter((key) => !key.name.endsWith('*') && key.reach.includes(reach))
  const names = new Set([...catalogue.map(({ name }) => name), ...Object.keys(config)])
  return [...names].sort().flatMap((name) => describeKey(config, name) ?? [])
}

/** Undefined for a name that is no key. */
export function describeKey(config: Readonly<ConfigMap>, name: string): DescribedConfig | undefined {
  const key = findConfigKey(name)
  if (!key) return undefined
  // The old name of the prefix, which some clients still read.
  const value = configValue(config, name === 'link.prefix' ? 'cluster.link.prefix' : name)
  return {
    key,
    name,
    value: key.sensitive ? null : value,
    isDefault: config[name] === undefined,
    isReadOnly: key.mutable !== 'always',
  }
}
