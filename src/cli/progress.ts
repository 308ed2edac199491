import { displayWidth } from './render/text.ts'

/** One line on standard error that is rewritten as things go on, and taken away at the end. Only on a terminal. */
export class Progress implements Disposable {
  readonly #stream: NodeJS.WriteStream
  readonly #shown: boolean
  #text = ''

  constructor(options: { quiet: boolean; stream?: NodeJS.WriteStream }) {
    this.#stream = options.stream ?? process.stderr
    this.#shown = !options.quiet && this.#stream.isTTY === true
  }

  update(text: string): void {
    if (!this.#shown) return
    // A terminal that does not know its size says that it has none.
    const line = fitted(text, (this.#stream.columns || 80) - 1)
    if (line === this.#text) return
    this.#text = line
    this.#stream.write(`\r\u001b[2K${line}`)
  }

  /** Makes room for other lines. */
  clear(): void {
    if (this.#text !== '') this.#stream.write('\r\u001b[2K')
    this.#text = ''
  }

  [Symbol.dispose](): void {
    this.clear()
  }
}

/** A line that wraps could not be taken away again. */
function fitted(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  const characters = [...text]
  while (characters.length > 0 && displayWidth(characters.join('')) > columns - 1) characters.pop()
  return `${characters.join('')}…`
}
