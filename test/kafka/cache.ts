import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, open, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { waitFor } from '../support/process.ts'

const memory = new Map<string, Promise<string>>()

/** What tests bring along stays here, outside the source tree, from one run to the next. */
export function cacheFolder(): string {
  const { LINKSPAN_TEST_CACHE, XDG_CACHE_HOME } = process.env
  return LINKSPAN_TEST_CACHE ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'linkspan')
}

/**
 * The folder `name` of the cache, filled once by `fill`. It appears whole or not at all: it is filled beside its place
 * and then renamed; other processes wait meanwhile.
 */
export function cached(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const target = join(cacheFolder(), name)
  const known = memory.get(target)
  if (known !== undefined) return known
  const filling = existsSync(target) ? Promise.resolve(target) : fillOnce(target, fill)
  memory.set(target, filling)
  filling.catch(() => memory.delete(target))
  return filling
}

async function fillOnce(target: string, fill: (folder: string) => Promise<void>): Promise<string> {
  await mkdir(cacheFolder(), { recursive: true })
  await using _lock = await takeLock(`${target}.lock`)
  if (existsSync(target)) return target
  const folder = await mkdtemp(`${target}.new-`)
  try {
    await fill(folder)
    await rename(folder, target)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return target
}

/** A file that holds the owner's process number; one whose owner is dead counts for nothing. */
async function takeLock(path: string): Promise<AsyncDisposable> {
  const take = async () => {
    try {
      const file = await open(path, 'wx')
      await file.writeFile(String(process.pid))
      await file.close()
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const owner = Number(await readFile(path, 'utf8').catch(() => ''))
    if (owner > 0 && !isAlive(owner)) await rm(path, { force: true })
    return false
  }
  await waitFor(take, { timeoutMs: 300_000, intervalMs: 200, what: `the lock ${path}` })
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
