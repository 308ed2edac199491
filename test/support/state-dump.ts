import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** What a daemon sees by itself, at any moment: not what anybody decided. */
const observed = ['warning', 'identity-use']

/**
 * The rows of a state directory as they are stored, also while its daemon runs: equal dumps are equal states. Left out
 * is what the daemon has observed.
 */
export function dumpState(stateDir: string): string[] {
  const database = new DatabaseSync(join(stateDir, 'linkspan.db'), { readOnly: true, timeout: 5000 })
  try {
    const rows = database.prepare('SELECT kind, key, value FROM rows ORDER BY kind, key').all()
    const decided = rows.filter(({ kind }) => !observed.includes(String(kind)))
    return decided.map(({ kind, key, value }) => `${kind} ${key} ${value}`)
  } finally {
    database.close()
  }
}
