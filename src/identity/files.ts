import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** For the owner alone: keys, certificates and whatever else lies in the state directory. */
export const privateMode = 0o600

/** `path` holds either what it held or `data`, whatever crashes; `data` durably once this resolves. */
export async function writeFileAtomically(path: string, data: string | Uint8Array, mode = privateMode): Promise<void> {
  await stageFile(path, data, mode)
  await commitFile(path)
}

/** Writes `data` beside `path` and makes it durable; it becomes visible with `commitFile`. */
export async function stageFile(path: string, data: string | Uint8Array, mode = privateMode): Promise<void> {
  const staged = stagedPath(path)
  await rm(staged, { force: true })
  await using file = await open(staged, 'wx', mode)
  await file.writeFile(data)
  await file.sync()
}

/** Gives the staged file its name and makes the name durable. */
export async function commitFile(path: string): Promise<void> {
  await rename(stagedPath(path), path)
  await syncDirectory(dirname(path))
}

export function stagedPath(path: string): string {
  return `${path}.new`
}

/** The text of a file, or undefined when there is none. */
export async function readTextIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** A rename or a new file survives power loss only once its directory is on disk. */
export async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, 'r')
  await handle.sync()
}
