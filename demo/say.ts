import { styleText } from 'node:util'

/** One line, or several, to the person who watches. */
export function say(text = ''): void {
  process.stdout.write(`${text}\n`)
}

export function title(text: string): void {
  say(`\n${styleText('bold', text)}`)
}

/** A command as the person would type it, at one of the two sites. */
export function command(site: string, words: readonly string[]): void {
  const shown = words.map((word) => (word.length > 60 ? `${word.slice(0, 24)}…` : word)).join(' ')
  say(`${styleText('cyan', `${site} $`)} linkspan ${shown}`)
}

export function output(text: string): void {
  const lines = text.trimEnd().split('\n')
  for (const line of lines) say(styleText('dim', `    ${line.length > 110 ? `${line.slice(0, 107)}…` : line}`))
}

export function good(text: string): void {
  say(`${styleText('green', '✔')} ${text}`)
}

export function bad(text: string): void {
  say(`${styleText('red', '✘')} ${text}`)
}

/** Rows under their headings, numbers to the right. */
export function table(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const all = [
    headings,
    ...rows.map((row) => row.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en') : cell))),
  ]
  const widths = headings.map((_, column) => Math.max(...all.map((row) => String(row[column]).length)))
  return all.map((row, index) => {
    const cells = row.map((cell, column) => {
      const isNumber = index > 0 && typeof rows[index - 1]?.[column] === 'number'
      const width = widths[column] as number
      return isNumber ? String(cell).padStart(width) : String(cell).padEnd(width)
    })
    return `    ${cells.join('  ').trimEnd()}`
  })
}

/** Lines that replace what they printed before, on a terminal; elsewhere only the last state is shown. */
export class LiveLines {
  #printed = 0
  #last: readonly string[] = []

  show(lines: readonly string[]): void {
    this.#last = lines
    if (!process.stdout.isTTY) return
    if (this.#printed > 0) process.stdout.write(`\x1b[${this.#printed}A\x1b[J`)
    process.stdout.write(`${lines.join('\n')}\n`)
    this.#printed = lines.length
  }

  end(): void {
    if (!process.stdout.isTTY) for (const line of this.#last) say(line)
  }
}
