import { LinkspanError } from '../base/errors.ts'

/** While it is there, an interrupt (Ctrl-C) ends what goes on instead of the process, so that it can be undone. */
export class Interruption implements Disposable {
  readonly #control = new AbortController()
  readonly #interrupt = () => this.#control.abort(new LinkspanError('closed', 'Interrupted'))

  constructor() {
    process.once('SIGINT', this.#interrupt)
  }

  get signal(): AbortSignal {
    return this.#control.signal
  }

  [Symbol.dispose](): void {
    process.off('SIGINT', this.#interrupt)
  }
}
