import { LinkspanError } from '../base/errors.ts'

/** Primary result codes: sqlite.org/rescode.html. The extended ones add bits above the lowest eight. */
const busy = 5
const damaged = [11, 26] // SQLITE_CORRUPT, SQLITE_NOTADB
const full = 13

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === busy
}

/** SQLite's error as ours: `corrupt` when the file is damaged, else `storage`. `action` is what did not happen. */
export function storageError(error: unknown, path: string, action: string): LinkspanError {
  if (error instanceof LinkspanError) return error
  const code = primaryCode(error)
  if (damaged.includes(code)) return damagedFile(path, error)
  const wayOut =
    code === full ? 'free some disk space and try again' : 'check the disk and its free space, then try again'
  return new LinkspanError('storage', `${path} could not be ${action}: ${wayOut}`, { cause: error })
}

export function damagedFile(path: string, cause?: unknown): LinkspanError {
  const wayOut = 'stop the daemon and restore the state directory from a backup'
  return new LinkspanError('corrupt', `The state file ${path} is damaged: ${wayOut}`, { cause })
}

function primaryCode(error: unknown): number {
  return ((error as { errcode?: number } | undefined)?.errcode ?? 0) & 0xff
}
