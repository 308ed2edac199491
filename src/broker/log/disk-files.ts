import { closeSync, fdatasync, ftruncateSync, openSync, read, readSync, writevSync } from 'node:fs'
import { constants, mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises'
import { promisify } from 'node:util'
import { type FileStat, type Files, isMissing, type OpenFile } from './files.ts'

/** For the broker's user alone: records are other people's data. */
const fileMode = 0o600
const folderMode = 0o700
/** Buffers in one call; the system takes 1024. */
const buffersMax = 512

const readAsync = promisify(read)
const syncData = promisify(fdatasync)

/** The files of this machine. Writes are synchronous: into the page cache they are faster than a trip to a thread. */
export const diskFiles: Files = {
  open: (path, mode) => {
    const flags = constants.O_RDWR | (mode === 'create' ? constants.O_CREAT : 0)
    return new DiskFile(openSync(path, flags, fileMode))
  },
  stat: (path) => orMissing(statFile(path)),
  readFile: (path) => orMissing(readFile(path)),
  list: async (folder) => (await orMissing(readdir(folder))) ?? [],
  makeFolder: async (folder) => {
    await mkdir(folder, { recursive: true, mode: folderMode })
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  removeFolder: (folder) => rm(folder, { recursive: true, force: true }),
  syncFolder,
  usableBytes: async (folder) => {
    const { bavail, bsize } = await statfs(folder)
    return bavail * bsize
  },
}

class DiskFile implements OpenFile {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  write(buffers: readonly Uint8Array[], position: number): void {
    let at = position
    let rest = buffers
    while (rest.length > 0) {
      const written = writevSync(this.#fd, rest.slice(0, buffersMax), at)
      at += written
      rest = withoutFirst(rest, written)
    }
  }

  readNow(target: Uint8Array, length: number, position: number): number {
    let total = 0
    while (total < length) {
      const count = readSync(this.#fd, target, total, length - total, position + total)
      if (count === 0) break
      total += count
    }
    return total
  }

  async read(target: Uint8Array, length: number, position: number): Promise<number> {
    let total = 0
    while (total < length) {
      const { bytesRead } = await readAsync(this.#fd, target, total, length - total, position + total)
      if (bytesRead === 0) break
      total += bytesRead
    }
    return total
  }

  truncate(sizeBytes: number): void {
    ftruncateSync(this.#fd, sizeBytes)
  }

  async sync(): Promise<void> {
    await syncData(this.#fd)
  }

  close(): void {
    try {
      closeSync(this.#fd)
    } catch {
      // The descriptor is gone all the same, and what had to be durable was synced before.
    }
  }
}

/** What is left of `buffers` after `written` bytes of them. A disk that is nearly full writes less than it is given. */
function withoutFirst(buffers: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let rest = written
  let index = 0
  while (index < buffers.length && rest >= buffers[index]!.length) {
    rest -= buffers[index]!.length
    index += 1
  }
  const left = buffers.slice(index)
  if (rest > 0) left[0] = left[0]!.subarray(rest)
  return left
}

async function statFile(path: string): Promise<FileStat> {
  const { size, mtimeMs } = await stat(path)
  return { sizeBytes: size, modifiedMs: mtimeMs }
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r')
  await handle.sync()
}

async function orMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
