import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isLinkspanError, LinkspanError } from '../base/errors.ts'
import { privateMode, syncDirectory, writeFileAtomically } from '../identity/files.ts'
import { type BackupFacts, backupBytesMax, frontReachBytes, readFacts } from './file.ts'

/** A backup that is stored here. */
export interface StoredBackup {
  name: string
  sizeBytes: number
  facts: BackupFacts
}

const extension = '.backup'
const arrivingExtension = '.arriving'
const nameForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/

/** Backups in one folder, by their names. Files are for the owner alone, and there whole or not at all. */
export class BackupFolder {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** By name. What is damaged at its beginning, or was deleted meanwhile, is left out. */
  async list(): Promise<StoredBackup[]> {
    const names = await readdir(this.path).catch(noneIfMissing)
    const ours = names.filter((name) => name.endsWith(extension)).sort()
    const found = ours.map((name) => this.require(name.slice(0, -extension.length)).catch(noneIfUnreadable))
    return (await Promise.all(found)).filter((backup) => backup !== undefined)
  }

  /** Throws `not-found`, and `corrupt` for one that is damaged at its beginning. */
  async require(name: string): Promise<StoredBackup> {
    if (!nameForm.test(name)) throw noBackup(name)
    try {
      await using file = await open(this.#file(name), 'r')
      const { size } = await file.stat()
      const beginning = Buffer.alloc(Math.min(size, frontReachBytes))
      await file.read(beginning, 0, beginning.length, 0)
      return { name, sizeBytes: size, facts: readFacts(beginning) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw noBackup(name)
      throw error
    }
  }

  /** Throws `already-exists`, `invalid-request`. */
  async write(name: string, bytes: Uint8Array): Promise<StoredBackup> {
    await this.checkFree(name)
    await mkdir(this.path, { recursive: true, mode: 0o700 })
    await writeFileAtomically(this.#file(name), bytes)
    return this.require(name)
  }

  /** Throws `already-exists`, and `invalid-request` for a name that cannot be one. */
  async checkFree(name: string): Promise<void> {
    if (!nameForm.test(name)) {
      const expected = '1 to 100 letters, digits, dots, hyphens and underscores, the first a letter or digit'
      throw new LinkspanError('invalid-request', `${JSON.stringify(name)} cannot name a backup: use ${expected}`)
    }
    const isThere = await stat(this.#file(name)).then(
      () => true,
      () => false,
    )
    if (isThere) throw new LinkspanError('already-exists', `Backup ${JSON.stringify(name)} already exists`)
  }

  /**
   * A file that comes in pieces, and gets its name when `check` has found the whole good; one at a time. Throws
   * `too-large`, and what `arrive` and `check` throw; then nothing is left of it.
   */
  async receive(
    name: string,
    arrive: (take: (chunk: Uint8Array) => Promise<void>) => Promise<void>,
    check: (bytes: Buffer) => void,
  ): Promise<StoredBackup> {
    await this.checkFree(name)
    await mkdir(this.path, { recursive: true, mode: 0o700 })
    const arriving = join(this.path, `${name}${arrivingExtension}`)
    try {
      await this.#dropArriving()
      await writePieces(arriving, arrive)
      check(await readFile(arriving))
      await rename(arriving, this.#file(name))
      await syncDirectory(this.path)
    } finally {
      await rm(arriving, { force: true })
    }
    return this.require(name)
  }

  /** Throws `not-found`. */
  async read(name: string): Promise<Buffer> {
    await this.require(name)
    return readFile(this.#file(name))
  }

  /** Also one that is damaged. Throws `not-found`. */
  async delete(name: string): Promise<void> {
    await this.require(name).catch((error: unknown) => {
      if (!isLinkspanError(error, 'corrupt')) throw error
    })
    await rm(this.#file(name))
    await syncDirectory(this.path)
  }

  /** Left by a daemon that was killed: one file arrives at a time. */
  async #dropArriving(): Promise<void> {
    for (const name of await readdir(this.path)) {
      if (name.endsWith(arrivingExtension)) await rm(join(this.path, name), { force: true })
    }
  }

  #file(name: string): string {
    return join(this.path, `${name}${extension}`)
  }
}

async function writePieces(
  path: string,
  arrive: (take: (chunk: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  await using file = await open(path, 'wx', privateMode)
  let bytes = 0
  await arrive(async (chunk) => {
    bytes += chunk.length
    if (bytes > backupBytesMax) {
      throw new LinkspanError('too-large', `A backup has at most ${backupBytesMax} bytes: this one goes on`)
    }
    await file.writeFile(chunk)
  })
  await file.sync()
}

function noneIfUnreadable(error: unknown): undefined {
  if (!isLinkspanError(error, 'corrupt', 'not-found')) throw error
}

function noneIfMissing(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return []
  throw error
}

function noBackup(name: string): LinkspanError {
  return new LinkspanError('not-found', `Backup ${JSON.stringify(name.slice(0, 100))} not found`)
}
