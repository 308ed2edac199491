import { join } from 'node:path'
import { cached } from '../kafka/cache.ts'
import { unpackDebian } from './debian.ts'
import { type Process, type RunResult, run, startProcess } from './process.ts'

let found: Promise<string> | undefined

/** LXD's own client, 5.0, from PATH, or else Debian's package of it unpacked into the cache. */
function lxcCommand(): Promise<string> {
  found ??= findLxc()
  found.catch(() => {
    found = undefined
  })
  return found
}

/** As `kafkaAvailable`. */
export async function lxcAvailable(): Promise<{ skip: string | false }> {
  if (process.env.CI) return { skip: false }
  try {
    await lxcCommand()
    return { skip: false }
  } catch (error) {
    return { skip: (error as Error).message }
  }
}

async function findLxc(): Promise<string> {
  if (/^5\./.test((await run('lxc', ['--version'])).stdout)) return 'lxc'
  try {
    return join(await cached('lxd-client', (folder) => unpackDebian('lxd-client', folder)), 'usr', 'bin', 'lxc')
  } catch (cause) {
    const [reason] = (cause as Error).message.split('\n').slice(-1)
    throw new Error(
      `Tests with LXD's client need version 5.0 of it on PATH ("apt-get install lxd-client"): ${reason}`,
      {
        cause,
      },
    )
  }
}

/** One user of the client. */
export interface Lxc {
  /** Where it keeps remotes and certificates. */
  folder: string
  /** The state directory of the daemon that its remote `local` is; without one it has none. */
  local?: string
}

export async function lxc(user: Lxc, words: readonly string[]): Promise<RunResult> {
  return run(await lxcCommand(), words, { env: environmentOf(user) })
}

export async function startLxc(user: Lxc, words: readonly string[]): Promise<Process> {
  return startProcess(await lxcCommand(), words, { env: environmentOf(user) })
}

function environmentOf({ folder, local = join(folder, 'nothing') }: Lxc): Record<string, string> {
  return { LXD_CONF: folder, LXD_DIR: local, HOME: folder }
}
