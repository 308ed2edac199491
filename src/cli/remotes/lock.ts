import { mkdir, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { sleep, systemClock } from '../../base/clock.ts'
import { LinkspanError } from '../../base/errors.ts'

const waitMs = 20
const patienceMs = 5000
/** Nobody holds it for so long: whoever made it was killed. */
const staleMs = 10_000

/** Commands of one user that run side by side take turns. Throws `state-locked` when the turn does not come. */
export async function withLock<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const endMs = systemClock.monotonicMs() + patienceMs
  while (!(await taken(path))) {
    if (systemClock.monotonicMs() > endMs) {
      const sentence = `Another linkspan command is changing the remotes: try again, or remove ${path} if none runs`
      throw new LinkspanError('state-locked', sentence)
    }
    await sleep(waitMs)
  }
  try {
    return await work()
  } finally {
    await rm(path, { force: true })
  }
}

async function taken(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const made = await stat(path).catch(() => undefined)
    if (made && systemClock.wallMs() - made.mtimeMs > staleMs) await rm(path, { force: true })
    return false
  }
}
