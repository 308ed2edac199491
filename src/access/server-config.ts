import { LinkspanError } from '../base/errors.ts'
import { expiryMs } from '../identity/expiry.ts'
import { parseRecoveryKey, recoveryKeySetting } from '../identity/recovery-key.ts'
import type { RowsView } from '../store/rows.ts'
import { defineTable } from '../store/table.ts'

/** Settings of the whole cluster that the API can change; flags of the daemon are none of them. */
export interface ServerConfigRow {
  config: Record<string, string>
}

export const serverConfigTable = defineTable<ServerConfigRow>('server-config', 1)

export const tokenExpiryKey = 'core.remote_token_expiry'
/** LXD's: a token that nobody used for so long was forgotten. */
const defaultTokenExpiry = '15d'
const rowKey = 'server'
const keysMax = 500
const charactersMax = 400_000

export function serverConfig(rows: RowsView): Record<string, string> {
  return rows.get(serverConfigTable, rowKey)?.config ?? {}
}

/** When a token ends that is made at `nowMs`, in milliseconds since the epoch. */
export function tokenEndMs(rows: RowsView, nowMs: number): number {
  return expiryMs(serverConfig(rows)[tokenExpiryKey] ?? defaultTokenExpiry, nowMs, tokenExpiryKey)
}

/**
 * The change that sets the whole map; empty values go. `pinned` are keys that a flag or the daemon sets: they may be
 * among the given ones if they are as they are. Throws `invalid-config` and `immutable`.
 */
export function replaceServerConfigChanges(
  config: Readonly<Record<string, string>>,
  pinned: Readonly<Record<string, string>>,
  nowMs: number,
) {
  const kept = Object.entries(config).filter(([name, value]) => value !== '' && pinned[name] !== value)
  for (const [name, value] of kept) checkEntry(name, value, pinned, nowMs)
  const characters = kept.reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  if (kept.length > keysMax || characters > charactersMax) {
    const sentence = `The server's config holds at most ${keysMax} keys and ${charactersMax} characters`
    throw new LinkspanError('invalid-config', sentence)
  }
  return [serverConfigTable.put(rowKey, { config: Object.fromEntries(kept) })]
}

function checkEntry(name: string, value: string, pinned: Readonly<Record<string, string>>, nowMs: number): void {
  if (name in pinned) {
    const sentence = `The config key "${name}" is set by the daemon: change its flag or its file instead`
    throw new LinkspanError('immutable', sentence, { details: { key: name, rule: 'immutable' } })
  }
  if (name === tokenExpiryKey) {
    expiryMs(value, nowMs, name)
    return
  }
  if (name === recoveryKeySetting) {
    parseRecoveryKey(value)
    return
  }
  if (/^user\.[\x21-\x7e]{1,190}$/.test(name)) return
  const shown = JSON.stringify(name.slice(0, 60))
  const sentence = `Unknown config key ${shown}; the server has ${tokenExpiryKey}, ${recoveryKeySetting} and user.*`
  throw new LinkspanError('invalid-config', sentence, { details: { rule: 'unknown' } })
}
