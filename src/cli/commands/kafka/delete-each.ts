import { explainError, isLinkspanError, LinkspanError } from '../../../base/errors.ts'
import type { Context } from '../../context.ts'
import { confirm } from '../../input.ts'

export interface Deletion {
  /** What they are: `topic`. */
  kind: string
  names: readonly string[]
  /** Without a question. */
  force: boolean
  /** Throws `not-found`; then nothing at all is deleted. */
  find: (name: string) => Promise<unknown>
  remove: (name: string) => Promise<void>
}

/** Asks once for all of them, goes on after a failure, and throws the first one at the end. */
export async function deleteEach(context: Context, { kind, names, force, find, remove }: Deletion): Promise<void> {
  if (names.length === 0) throw new LinkspanError('usage', `Name the ${kind}s`)
  const unique = [...new Set(names)]
  await Promise.all(unique.map((name) => checkExists(kind, name, find)))
  const list = unique.map((name) => `"${name}"`).join(', ')
  const what = unique.length === 1 ? `${kind} ${list}` : `${kind}s ${list}`
  if (!force && !(await confirm(`Are you sure you want to delete ${what}?`, '--force'))) return
  const failures: unknown[] = []
  for (const name of unique) {
    try {
      await remove(name)
      context.say(`Deleted ${kind} "${name}".`)
    } catch (error) {
      failures.push(error)
    }
  }
  for (const other of failures.slice(1)) process.stderr.write(`Error: ${explainError(other)}\n`)
  if (failures.length > 0) throw failures[0]
}

async function checkExists(kind: string, name: string, find: Deletion['find']): Promise<void> {
  try {
    await find(name)
  } catch (error) {
    if (!isLinkspanError(error, 'not-found', 'kafka-unknown-topic')) throw error
    throw new LinkspanError('not-found', `${kind} "${name}" not found`, { cause: error })
  }
}
