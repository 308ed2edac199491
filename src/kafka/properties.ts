import { LinkspanError } from '../base/errors.ts'

const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r', f: '\f' }

/** Java's properties format: comments, `=`, `:` or blanks after the key, escapes, lines continued by a backslash. */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const line of logicalLines(text)) {
    const { end, next } = keyEnd(line)
    properties.set(plainText(line.slice(0, end)), plainText(line.slice(next)).trim())
  }
  return properties
}

/** Without comments and empty lines; continued lines joined, the blanks at their start dropped. */
function logicalLines(text: string): string[] {
  const lines: string[] = []
  let open: string | undefined
  for (const physical of text.replace(/^\ufeff/, '').split(/\r\n|\r|\n/)) {
    const line = physical.replace(/^[ \t\f]+/, '')
    if (open === undefined && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue
    const whole: string = (open ?? '') + line
    const backslashes = /\\*$/.exec(whole)?.[0].length ?? 0
    if (backslashes % 2 === 1) open = whole.slice(0, -1)
    else {
      lines.push(whole)
      open = undefined
    }
  }
  if (open !== undefined) lines.push(open)
  return lines
}

function keyEnd(line: string): { end: number; next: number } {
  let end = 0
  while (end < line.length && !/[=: \t\f]/.test(line[end] as string)) end += line[end] === '\\' ? 2 : 1
  const separator = /^[ \t\f]*[=:]?[ \t\f]*/.exec(line.slice(end))?.[0].length ?? 0
  return { end, next: end + separator }
}

function plainText(text: string): string {
  return text.replace(/\\(u([0-9a-fA-F]{4})|u|.)/gs, (_, character: string, hex: string | undefined) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    if (character === 'u') throw new LinkspanError('invalid-config', 'A \\u escape needs four hex digits')
    return escapes[character] ?? character
  })
}
