import { fstatSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createInterface, type Interface } from 'node:readline/promises'
import { LinkspanError } from '../base/errors.ts'

const inputBytesMax = 1024 * 1024
const silentInputMs = 1000

/** All of standard input. Throws `too-large`. */
export async function readInput(): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > inputBytesMax) {
      throw new LinkspanError('too-large', `Standard input is larger than ${inputBytesMax} bytes`)
    }
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/**
 * Standard input where a command can also do without: empty when it is a terminal or a device. A pipe that nobody
 * writes to or closes, as a process started by another often has, is given up after a second, which `note` is told.
 */
export async function readOptionalInput(note: (text: string) => void): Promise<string> {
  const kind = fstatSync(0)
  if (kind.isFile()) return readInput()
  if (!kind.isFIFO() && !kind.isSocket()) return ''
  if (await somethingComes()) return readInput()
  process.stdin.destroy()
  note('Standard input is open, but nothing came from it within a second: going on without it')
  return ''
}

/** True as soon as there is something to read, be it the end. */
function somethingComes(): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (came: boolean) => {
      clearTimeout(timer)
      process.stdin.off('readable', comes).off('end', comes).off('error', comes)
      resolve(came)
    }
    const comes = () => finish(true)
    const timer = setTimeout(() => finish(false), silentInputMs)
    process.stdin.on('readable', comes).on('end', comes).on('error', comes)
  })
}

/** What a file holds, `-` being standard input. Throws `usage` when it cannot be read. */
export async function readFileOrInput(path: string): Promise<string> {
  if (path === '-') return readInput()
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new LinkspanError('usage', `Cannot read ${path}`, { cause })
  }
}

/** The value itself, or for `-` what standard input holds, without the line feed at its end. */
export async function valueOrInput(value: string): Promise<string> {
  if (value !== '-' || process.stdin.isTTY) return value
  return (await readInput()).replace(/\r?\n$/, '')
}

/** Questions to the person or the pipe at standard input. They go to standard error. */
export class Questions implements Disposable {
  readonly #lines: Interface
  readonly #answers: AsyncIterator<string>

  constructor() {
    this.#lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
    this.#answers = this.#lines[Symbol.asyncIterator]()
  }

  /** Undefined when nobody is there any more. */
  async ask(question: string): Promise<string | undefined> {
    process.stderr.write(question)
    const { value, done } = await this.#answers.next()
    return done ? undefined : value.trim()
  }

  [Symbol.dispose](): void {
    this.#lines.close()
    process.stdin.pause()
  }
}

/** Throws `usage` when nobody answers, naming the flag that answers for them. */
export async function confirm(question: string, flag: string): Promise<boolean> {
  using questions = new Questions()
  for (;;) {
    const answer = (await questions.ask(`${question} (y/n): `))?.toLowerCase()
    if (answer === undefined) {
      throw new LinkspanError('usage', `Nobody is there to answer: give ${flag} to go on without the question`)
    }
    if (answer === 'y' || answer === 'yes') return true
    if (answer === 'n' || answer === 'no') return false
  }
}
