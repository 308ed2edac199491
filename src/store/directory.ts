import { chmod, mkdir, readdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { LinkspanError } from '../base/errors.ts'
import { syncDirectory } from '../identity/files.ts'

const ownerOnly = 0o700
const othersMask = 0o077
/** A folder that holds one of these is a state directory already, so that we may close it to others. */
const ourFiles = ['linkspan.db', 'lock.db', 'linkspand.json']

/**
 * Makes the state directory, mode 0700, or closes an existing one of ours to others. A folder with other things in it
 * that others can enter is refused, because closing it could break what is not ours.
 */
export async function prepareDirectory(directory: string): Promise<void> {
  try {
    const created = await mkdir(directory, { recursive: true, mode: ownerOnly })
    if (created !== undefined) await syncDirectory(dirname(resolve(created)))
    const { mode } = await stat(directory)
    if ((mode & othersMask) === 0) return
    const names = await readdir(directory)
    if (names.length > 0 && !names.some((name) => ourFiles.includes(name))) throw sharedFolder(directory)
    await chmod(directory, ownerOnly)
  } catch (cause) {
    if (cause instanceof LinkspanError) throw cause
    const wayOut = 'choose another one with --state-dir, or make it writable for this user'
    throw new LinkspanError('invalid-config', `The state directory ${directory} cannot be used: ${wayOut}`, { cause })
  }
}

function sharedFolder(directory: string): LinkspanError {
  const problem = `${directory} holds other files and is open to other users`
  return new LinkspanError('invalid-config', `${problem}: give the state a directory of its own with --state-dir`)
}
