import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { LinkspanError } from '../base/errors.ts'
import type { ConfigInput } from '../contract/kafka-v3.ts'

export const configHelp = 'config as key=value, parted by commas; or a file of such lines; may be repeated'

/**
 * What `--config` says: one file of `key=value` lines, or lists of pairs. Commas within values survive, as a part
 * without an equals sign belongs to the value before it. Of a key given twice the last counts. Throws `usage`.
 */
export async function readConfigFlags(flags: readonly string[] = []): Promise<Record<string, string>> {
  const [only] = flags
  if (flags.length === 1 && only !== undefined && existsSync(only)) return parseConfigFile(await readText(only))
  return parseConfigFlags(flags)
}

export function parseConfigFlags(flags: readonly string[]): Record<string, string> {
  return Object.fromEntries(flags.flatMap((flag) => joinParts(splitFields(flag)).map(parsePair)))
}

/** Lines of `key=value`; `#` begins a comment, a backslash at the end goes on with the next line. */
export function parseConfigFile(text: string): Record<string, string> {
  const lines = text.replace(/\\\r?\n[ \t]*/g, '').split(/\r?\n/)
  const pairs = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(pairs.map(parsePair).map(([name, value]) => [name, unescaped(value)]))
}

export function configInputs(config: Readonly<Record<string, string>>): ConfigInput[] {
  return Object.entries(config).map(([name, value]) => ({ name, value }))
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new LinkspanError('usage', `Cannot read the config file ${path}`, { cause })
  }
}

/** Quoted as a CSV record, as Confluent's client wants JSON to be, or plainly parted by commas. */
function splitFields(flag: string): string[] {
  if (!flag.startsWith('"')) return flag.split(',')
  const fields: string[] = []
  let rest = flag
  while (rest !== '') {
    const [whole, quoted, plain] = /^(?:"((?:[^"]|"")*)"|([^",]*))(?:,|$)/.exec(rest) ?? []
    if (whole === undefined) throw new LinkspanError('usage', `The quotation marks in --config ${flag} do not match`)
    fields.push(quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'))
    rest = rest.slice(whole.length)
  }
  return fields
}

function joinParts(fields: readonly string[]): string[] {
  const joined: string[] = []
  for (const field of fields) {
    if (field.includes('=') || joined.length === 0) joined.push(field)
    else joined.push(`${joined.pop()},${field}`)
  }
  return joined
}

function parsePair(text: string): [string, string] {
  const equals = text.indexOf('=')
  const name = text.slice(0, Math.max(equals, 0)).trim()
  if (name === '') throw new LinkspanError('usage', `Expected key=value or a file, got "${text}"`)
  return [name, text.slice(equals + 1).trim()]
}

/** In JSON these two characters mean themselves. */
function unescaped(value: string): string {
  if (value.startsWith('{')) return value
  return value.replaceAll('\\n', '\n').replaceAll('\\r', '\r').replaceAll('\\t', '\t')
}
