import type { Files } from './files.ts'

/** Index files of old segments in memory, least recently used first. The index of a segment of 1 GiB is 2 MiB. */
const cachedBytesMax = 24 * 1024 * 1024

export class IndexCache {
  readonly #files: Files
  readonly #buffers = new Map<string, Buffer>()
  #bytes = 0

  constructor(files: Files) {
    this.#files = files
  }

  /** At least the first `lengthBytes` of a file, if they are here. */
  get(path: string, lengthBytes: number): Buffer | undefined {
    const buffer = this.#buffers.get(path)
    if (buffer === undefined || buffer.length < lengthBytes) return undefined
    this.#buffers.delete(path)
    this.#buffers.set(path, buffer)
    return buffer
  }

  /** The first `lengthBytes` of a file; fewer when somebody has damaged or removed it. */
  async load(path: string, lengthBytes: number): Promise<Buffer> {
    const cached = this.get(path, lengthBytes)
    if (cached) return cached
    const bytes = (await this.#files.readFile(path)) ?? Buffer.alloc(0)
    this.forget(path)
    this.#buffers.set(path, bytes)
    this.#bytes += bytes.length
    this.#makeRoom()
    return bytes
  }

  /** A file that is gone or will have other content. */
  forget(path: string): void {
    this.#bytes -= this.#buffers.get(path)?.length ?? 0
    this.#buffers.delete(path)
  }

  forgetFolder(folder: string): void {
    for (const path of [...this.#buffers.keys()]) {
      if (path.startsWith(`${folder}/`)) this.forget(path)
    }
  }

  #makeRoom(): void {
    for (const path of this.#buffers.keys()) {
      if (this.#bytes <= cachedBytesMax || this.#buffers.size === 1) return
      this.forget(path)
    }
  }
}
