import type { Files, OpenFile } from './files.ts'

/** Descriptors for all logs together: idle logs hold none. Pinned files come on top: one per log that writes. */
const openFilesMax = 256

export interface PinnedFile {
  readonly path: string
  readonly file: OpenFile
}

interface Entry extends PinnedFile {
  pins: number
  /** Closed with its last pin: another name or other content stands at its path now. */
  isForgotten: boolean
}

/** Files that are open, least recently used first; those that nobody has pinned are closed when there are too many. */
export class OpenFiles {
  readonly #files: Files
  readonly #filesMax: number
  readonly #entries = new Map<string, Entry>()

  constructor(files: Files, filesMax = openFilesMax) {
    this.#files = files
    this.#filesMax = filesMax
  }

  get size(): number {
    return this.#entries.size
  }

  /** Throws the system's error; otherwise the file stays open until it is unpinned. */
  pin(path: string, mode: 'create' | 'existing'): PinnedFile {
    let entry = this.#entries.get(path)
    if (entry) this.#entries.delete(path)
    else {
      this.#closeUnused(this.#filesMax - 1)
      entry = { path, file: this.#files.open(path, mode), pins: 0, isForgotten: false }
    }
    entry.pins += 1
    this.#entries.set(path, entry)
    return entry
  }

  unpin(pinned: PinnedFile): void {
    const entry = pinned as Entry
    entry.pins -= 1
    if (entry.isForgotten) {
      if (entry.pins === 0) entry.file.close()
    } else if (this.#entries.size > this.#filesMax) this.#closeUnused(this.#filesMax)
  }

  /** Files in a folder that is renamed, removed or not to be trusted: the next pin opens them again. */
  forget(folder: string): void {
    for (const entry of [...this.#entries.values()]) {
      if (!entry.path.startsWith(`${folder}/`)) continue
      this.#entries.delete(entry.path)
      entry.isForgotten = true
      if (entry.pins === 0) entry.file.close()
    }
  }

  forgetFile(path: string): void {
    const entry = this.#entries.get(path)
    if (!entry) return
    this.#entries.delete(path)
    entry.isForgotten = true
    if (entry.pins === 0) entry.file.close()
  }

  closeAll(): void {
    for (const entry of [...this.#entries.values()]) this.forgetFile(entry.path)
  }

  #closeUnused(filesMax: number): void {
    if (this.#entries.size <= filesMax) return
    for (const [path, entry] of this.#entries) {
      if (this.#entries.size <= filesMax) return
      if (entry.pins > 0) continue
      this.#entries.delete(path)
      entry.file.close()
    }
  }
}
