import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LinkspanError } from '../base/errors.ts'
import { isBusy, storageError } from './sqlite-errors.ts'

/** The right to write a state directory; given back by disposing, and by the system when the process dies. */
export type DirectoryLock = Disposable

/**
 * Takes the lock of a state directory or throws `state-locked` at once. An open exclusive transaction holds it: unlike
 * a file with a process id in it, it can neither outlive a `kill -9` nor be taken for another process's.
 */
export function lockDirectory(directory: string): DirectoryLock {
  const path = join(directory, 'lock.db')
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(path, { timeout: 0 })
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database?.close()
    if (isBusy(error)) throw lockedDirectory(directory)
    throw storageError(error, path, 'locked')
  }
  const held = database
  return { [Symbol.dispose]: () => held.isOpen && held.close() }
}

function lockedDirectory(directory: string): LinkspanError {
  const problem = `The state directory ${directory} is in use by another linkspand`
  return new LinkspanError('state-locked', `${problem}: stop that one, or choose another with --state-dir`)
}
