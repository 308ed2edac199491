import type { LinkId } from '../base/ids.ts'
import {
  type CheckedConfig,
  type CheckOptions,
  type ConfigChanges,
  checkConfig,
  checkReplacedConfig,
} from '../contract/check-config.ts'
import { configFlag, configNumber, configValue, findConfigKey, hiddenValue } from '../contract/config-keys.ts'
import type { Sealer } from '../identity/sealing.ts'
import type { LinkRow } from './rows.ts'

/** The values of a link that count: those that are set, unsealed, and the defaults of all others. Holds secrets. */
export class LinkConfig {
  /** Only what is set. */
  readonly values: Readonly<Record<string, string>>

  constructor(values: Record<string, string>) {
    this.values = values
  }

  /** Null when the key is not set and has no default. */
  get(name: string): string | null {
    return configValue(this.values, name)
  }

  flag(name: string): boolean {
    return configFlag(this.values, name)
  }

  /** For keys that are numbers. */
  number(name: string): number {
    return configNumber(this.values, name)
  }
}

/** Throws `corrupt` when a value cannot be unsealed. */
export function openConfig(sealer: Sealer, link: Pick<LinkRow, 'id' | 'config'>): LinkConfig {
  const values = Object.entries(link.config).map(([name, value]) => {
    return [name, isSensitive(name) ? sealer.unseal(value, place(link.id, name)) : value]
  })
  return new LinkConfig(Object.fromEntries(values))
}

/** As everybody who may see the link sees it. */
export function shownConfig(config: Readonly<Record<string, string>>): Record<string, string> {
  const shown = Object.entries(config).map(([name, value]) => [name, isSensitive(name) ? hiddenValue : value])
  return Object.fromEntries(shown)
}

/** Judges changes and gives the map to be stored. Throws `invalid-config` and `immutable`. */
export function changedConfig(
  sealer: Sealer,
  link: Pick<LinkRow, 'id' | 'config'>,
  changes: ConfigChanges,
  options: CheckOptions & { replace?: boolean },
): Record<string, string> {
  const check = options.replace ? checkReplacedConfig : checkConfig
  return sealed(sealer, link.id, check(changes, link.config, options))
}

function sealed(sealer: Sealer, id: LinkId, { config, set }: CheckedConfig): Record<string, string> {
  const stored = { ...config }
  for (const name of set) if (isSensitive(name)) stored[name] = sealer.seal(stored[name]!, place(id, name))
  return stored
}

function isSensitive(name: string): boolean {
  return findConfigKey(name)?.sensitive ?? false
}

function place(id: LinkId, name: string): string {
  return `link ${id} ${name}`
}
