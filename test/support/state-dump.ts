import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** The rows of a state directory as they are stored, also while its daemon runs: equal dumps are equal states. */
export function dumpState(stateDir: string): string[] {
  const database = new DatabaseSync(join(stateDir, 'linkspan.db'), { readOnly: true, timeout: 5000 })
  try {
    const rows = database.prepare('SELECT kind, key, value FROM rows ORDER BY kind, key').all()
    return rows.map(({ kind, key, value }) => `${kind} ${key} ${value}`)
  } finally {
    database.close()
  }
}
