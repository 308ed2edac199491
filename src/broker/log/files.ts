import { join } from 'node:path'

/**
 * Every file operation of the logs, so that tests can record them, fail them and cut the power between them. Paths are
 * absolute. What fails throws the system's error, `code` included. Nothing is durable before a sync: bytes and sizes
 * by `OpenFile.sync`, names by `syncFolder` of the folder that they stand in.
 */
export interface Files {
  /** For reading and writing; `create` makes an empty file when there is none. */
  open(path: string, mode: 'create' | 'existing'): OpenFile
  /** Undefined when there is no such file. */
  stat(path: string): Promise<FileStat | undefined>
  /** The whole of a small file; undefined when there is none. */
  readFile(path: string): Promise<Buffer | undefined>
  /** Names in a folder; empty when there is none. */
  list(folder: string): Promise<string[]>
  /** With the folders above it; nothing happens when it is there. */
  makeFolder(folder: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Nothing happens when it is not there. */
  remove(path: string): Promise<void>
  /** With all that is in it; nothing happens when it is not there. */
  removeFolder(folder: string): Promise<void>
  syncFolder(folder: string): Promise<void>
  /** Free bytes on the disk of a folder. */
  usableBytes(folder: string): Promise<number>
}

export interface FileStat {
  sizeBytes: number
  modifiedMs: number
}

export interface OpenFile {
  /** All of the buffers one after the other, into the page cache; after a failure a part of them may be written. */
  write(buffers: readonly Uint8Array[], position: number): void
  /** Bytes read into the start of `target`: fewer than `length` only at the end of the file. */
  readNow(target: Uint8Array, length: number, position: number): number
  read(target: Uint8Array, length: number, position: number): Promise<number>
  truncate(sizeBytes: number): void
  sync(): Promise<void>
  close(): void
}

/** Writes a file under another name and renames it: `name` holds what it held, or, once the folder is synced, this. */
export async function replaceFile(
  files: Files,
  folder: string,
  names: { draft: string; name: string },
  bytes: Uint8Array,
): Promise<void> {
  const draft = join(folder, names.draft)
  const file = files.open(draft, 'create')
  try {
    file.truncate(0)
    file.write([bytes], 0)
    await file.sync()
  } finally {
    file.close()
  }
  await files.rename(draft, join(folder, names.name))
}

/** What a client may be told: the system's own words name our paths. */
export function storageProblem(error: unknown): string {
  const code = errorCode(error)
  if (code === 'ENOSPC') return 'no space left on the disk'
  if (code === 'EDQUOT') return 'the quota of the disk is used up'
  if (code === 'EROFS') return 'the disk is read-only'
  return code === undefined ? 'the disk failed' : `the disk failed (${code})`
}

export function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT'
}

export function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code
}
