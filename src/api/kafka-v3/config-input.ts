import { LinkspanError } from '../../base/errors.ts'
import type { AlterConfigInput, AlterConfigs, ConfigInput } from '../../contract/kafka-v3.ts'

export interface ConfigChange {
  name: string
  /** Null brings the default back. */
  value: string | null
}

/** Values may come as numbers and booleans; both stand for their text. */
export function changesOf(configs: readonly ConfigInput[]): ConfigChange[] {
  return configs.map(({ name, value }) => ({ name, value: textOf(value) }))
}

/** The changes of an alter request. Throws `invalid-request` for operations that only lists of brokers know. */
export function alterationsOf(body: AlterConfigs): ConfigChange[] {
  const entries = body.data ?? body.configs
  if (entries) return entries.map(alterationOf)
  throw new LinkspanError('invalid-request', 'The body has no "data": the list of configs to change')
}

function alterationOf({ name, value, operation }: AlterConfigInput): ConfigChange {
  switch (operation?.toUpperCase() ?? 'SET') {
    case 'SET':
      return { name, value: textOf(value) }
    case 'DELETE':
      return { name, value: null }
    default:
      throw new LinkspanError(
        'invalid-request',
        `The operation of "${name}" has to be SET or DELETE, got "${operation}"`,
      )
  }
}

export function textOf(value: ConfigInput['value']): string | null {
  return value === undefined || value === null ? null : String(value)
}
