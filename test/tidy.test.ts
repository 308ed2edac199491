import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { test } from 'node:test'

/** The rooms of the house, top to bottom. A room imports only from rooms below it; itself always. */
const rooms = [
  'daemon',
  'cli',
  'api',
  'backup',
  'broker',
  'mirror',
  'content',
  'cluster',
  'link',
  'gateway',
  'access',
  'client',
  'contract',
  'kafka',
  'events',
  'store',
  'transport',
  'identity',
  'records',
  'wire',
  'bytes',
  'base',
]

/** Narrower than the table: what these rooms may import at all, apart from themselves. */
const only: Record<string, string[]> = {
  // Backups are restored where no daemon runs.
  cli: ['client', 'contract', 'backup', 'transport', 'identity', 'base'],
  client: ['contract', 'base'],
  contract: ['base'],
  base: [],
  bytes: ['base'],
  wire: ['bytes', 'base'],
  records: ['wire', 'bytes', 'base'],
}

/** Rooms that a browser loads too: no Node module in them. */
const nodeFree = ['client', 'contract']

const banned: { pattern: RegExp; rooms?: string[]; except?: string[]; instead: string }[] = [
  { pattern: /\bDate\.now\(|\bnew Date\(\)/, except: ['src/base/clock.ts'], instead: 'a Clock' },
  {
    pattern: /\bBuffer\.concat\(/,
    rooms: ['records', 'transport', 'mirror', 'gateway'],
    instead: 'views and vectored writes',
  },
  { pattern: /\bconsole\./, except: ['src/cli/', 'src/daemon/main.ts'], instead: 'the Log' },
  {
    pattern: /\bprocess\.exit\(/,
    except: ['src/cli/main.ts', 'src/daemon/main.ts'],
    instead: 'an error with an exit code',
  },
  { pattern: /\bexport default\b|\benum \w/, instead: 'named exports, const objects' },
  {
    pattern: /\b(readFileSync|writeFileSync)\(/,
    rooms: ['mirror', 'gateway', 'kafka', 'api'],
    instead: 'the asynchronous call',
  },
  {
    pattern: /rejectUnauthorized: false/,
    except: ['src/transport/', 'src/kafka/'],
    instead: 'a pinned dial of transport/',
  },
]

const fileLinesMax = 400
const functionLinesMax = 70
const lineCharactersMax = 120

const root = resolve(import.meta.dirname, '..')
const trees = ['src', 'test', 'bench', 'demo', 'scripts']
const files = trees.flatMap((tree) => listTypeScript(join(root, tree)))
const sources = files.map((path) => ({ path: relative(root, path), text: readFileSync(path, 'utf8') }))

function listTypeScript(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return listTypeScript(path)
    return entry.name.endsWith('.ts') ? [path] : []
  })
}

function roomOf(path: string): string | undefined {
  const [tree, room] = path.split('/')
  return tree === 'src' ? room : undefined
}

function importsOf(path: string, text: string): string[] {
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, target]) => {
    return target!.startsWith('.') ? relative(root, resolve(root, dirname(path), target!)) : target!
  })
}

test('a room imports only rooms below it', () => {
  const wrong = sources.flatMap(({ path, text }) => {
    const room = roomOf(path)
    if (!room) return []
    if (!rooms.includes(room)) return [`${path}: no such room in the table`]
    const isTest = path.endsWith('.test.ts')
    return importsOf(path, text).flatMap((target) => {
      const other = roomOf(target)
      if (!other) {
        const outside = target.startsWith('test/') && !isTest
        return outside ? [`${path} imports ${target}`] : []
      }
      if (other === room) return []
      const allowed = only[room] ?? rooms.slice(rooms.indexOf(room) + 1)
      return allowed.includes(other) ? [] : [`${path} (${room}) imports ${target} (${other})`]
    })
  })
  assert.deepEqual(wrong, [])
})

test('rooms that a browser loads import no Node module, nor does what they import', () => {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const reached = new Set(sources.map(({ path }) => path).filter((path) => isNodeFree(path)))
  const wrong: string[] = []
  for (const path of reached) {
    for (const target of importsOf(path, byPath.get(path)?.text ?? '')) {
      if (target.startsWith('node:')) wrong.push(`${path}: ${target}`)
      else if (target.startsWith('src/')) reached.add(target)
    }
  }
  assert.deepEqual(wrong, [])
})

function isNodeFree(path: string): boolean {
  return nodeFree.includes(roomOf(path) ?? '') && !path.endsWith('.test.ts')
}

test('files, functions and lines stay within the size rules', () => {
  const wrong = sources.flatMap(({ path, text }) => {
    const lines = text.split('\n')
    const found: string[] = []
    if (lines.length - 1 > fileLinesMax) found.push(`${path}: ${lines.length - 1} lines, at most ${fileLinesMax}`)
    lines.forEach((line, index) => {
      if (line.length > lineCharactersMax) found.push(`${path}:${index + 1}: ${line.length} characters`)
    })
    return [...found, ...longFunctions(path, lines)]
  })
  assert.deepEqual(wrong, [])
})

/** By layout, which the formatter guarantees: a function starts at a line that ends in `{` and ends at its indent. */
function longFunctions(path: string, lines: string[]): string[] {
  const found: string[] = []
  lines.forEach((line, start) => {
    const head = /^(\s*)(?:export )?(?:async )?(?:function\b|(?:static )?(?:async )?[#\w]+\(.*\).*\{$)/.exec(line)
    if (!head || /^\s*(if|for|while|switch|catch|test|describe|it|suite)\b/.test(line)) return
    const indent = head[1]!
    const end = lines.findIndex((other, index) => index > start && other === `${indent}}`)
    if (end - start > functionLinesMax) found.push(`${path}:${start + 1}: function of ${end - start} lines`)
  })
  return found
}

test('banned calls are not used', () => {
  const wrong = sources.flatMap(({ path, text }) => {
    if (!path.startsWith('src/') || path.endsWith('.test.ts')) return []
    return banned.flatMap(({ pattern, rooms: where, except, instead }) => {
      if (where && !where.includes(roomOf(path) ?? '')) return []
      if (except?.some((prefix) => path.startsWith(prefix))) return []
      return text.split('\n').flatMap((line, index) => {
        return pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()} — use ${instead}`] : []
      })
    })
  })
  assert.deepEqual(wrong, [])
})

test('the lockfile is whole: every optional dependency of every entry is in it', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string>; resolved?: string; link?: boolean }>
  }
  const names = new Set(Object.keys(lock.packages).map((path) => path.split('node_modules/').at(-1)))
  const missing = Object.entries(lock.packages).flatMap(([path, entry]) => {
    return Object.keys(entry.optionalDependencies ?? {})
      .filter((name) => !names.has(name))
      .map((name) => `${path}: ${name}`)
  })
  assert.deepEqual(missing, [])
  const pinned = Object.entries(lock.packages)
    .filter(([, entry]) => entry.resolved && !entry.link)
    .map(([path]) => path)
  assert.deepEqual(pinned, [], 'entries name the registry that they came from: keep omit-lockfile-registry-resolved')
})
