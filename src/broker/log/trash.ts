import { explainError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Files } from './files.ts'
import { Sequence } from './limiter.ts'

/** Folders that nobody needs any more, removed in the background; what is left at the next start is removed then. */
export class Trash {
  readonly #files: Files
  readonly #log: Log
  readonly #removals = new Sequence()

  constructor(files: Files, log: Log) {
    this.#files = files
    this.#log = log
  }

  add(folder: string): void {
    void this.#removals.run(async () => {
      try {
        await this.#files.removeFolder(folder)
      } catch (error) {
        this.#log.warn({ folder, error: explainError(error) }, 'A deleted log could not be removed from the disk yet')
      }
    })
  }

  async idle(): Promise<void> {
    await this.#removals.idle()
  }
}
