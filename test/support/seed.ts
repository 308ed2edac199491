import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Daemon } from './daemon.ts'

/** The command lines of one page of LXD's documentation, in its order; at which cluster; the requests that it names. */
export interface Seed {
  /** How many lines the page has. */
  count: number
  lines: ['A' | 'B', string][]
  requests: string[]
}

/** What stands for the placeholders and the slips of a page, everywhere or in one line. */
export interface Substitutions {
  words: Record<string, string>
  ofLine: Record<string, Record<string, string>>
}

export interface Effect {
  before?: () => Promise<unknown>
  /** Typed into the command. */
  input?: () => Promise<string>
  /** What has to be true once the line ran at `here`. */
  check: (stdout: string, here: Daemon) => Promise<void> | void
}

/** By the beginning of the line, without the program's name; the longest that fits counts. */
export type Effects = Record<string, Effect['check'] | Effect>

export interface SeedRun {
  clusters: { A: Daemon; B: Daemon }
  effects: Effects
  /** Substitutions that only the run knows, such as a token. */
  known: () => Promise<Record<string, string>>
}

const folder = join(import.meta.dirname, '../scenario/seeds')

export function readSeed(name: string): Seed {
  return JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Seed
}

export function readSubstitutions(name: string): Substitutions {
  const path = join(folder, 'substitutions.json')
  return (JSON.parse(readFileSync(path, 'utf8')) as Record<string, Substitutions>)[name]!
}

/** Runs every line of the page in order. A line without an effect is an error, and so is an effect without a line. */
export async function runSeed(name: string, { clusters, effects, known }: SeedRun): Promise<void> {
  const { count, lines } = readSeed(name)
  const { words, ofLine } = readSubstitutions(name)
  assert.equal(lines.length, count)
  const unused = new Set(Object.keys(effects))
  for (const [at, line] of lines) {
    const key = effectOf(line, Object.keys(effects))
    unused.delete(key)
    const effect = effects[key]!
    const { before, input, check } = typeof effect === 'function' ? { check: effect } : (effect as Effect)
    await before?.()
    const [program, ...rest] = splitWords(
      substituted(line, { ...ofLine[line], ...without(words, ofLine[line]), ...(await known()) }),
    )
    assert.equal(program, 'lxc')
    const typed = await input?.()
    const { code, stdout, stderr } = await clusters[at].cli(rest, typed === undefined ? {} : { input: typed })
    assert.deepEqual([code, stderr], [0, ''], `${line}: ${stderr}`)
    await check(stdout, clusters[at])
  }
  assert.deepEqual([...unused], [], 'effects of no line')
}

/** The line itself counts before the page. */
function without(words: Record<string, string>, others: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(words).filter(([word]) => !(word in others)))
}

function effectOf(line: string, keys: readonly string[]): string {
  const fitting = keys.filter((key) => line.startsWith(`lxc ${key}`))
  assert.ok(fitting.length > 0, `no effect for: ${line}`)
  return fitting.reduce((longest, key) => (key.length > longest.length ? key : longest))
}

/** Fails when a placeholder is left over. */
export function substituted(line: string, words: Record<string, string>): string {
  const whole = Object.entries(words).reduce((text, [word, value]) => text.replaceAll(word, value), line)
  assert.doesNotMatch(whole, /<[a-zA-Z_ -]+>|\{name\}/, 'a placeholder without substitution')
  return whole
}

/** As a shell does it with these lines: quotation marks hold words together. */
function splitWords(line: string): string[] {
  const words = line.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single))
}
