import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// Compiled code is run without a further look, so it is kept where only this user writes: never in a shared folder.
enableCompileCache(process.env.NODE_COMPILE_CACHE ?? join(cacheHome(), 'linkspan', 'compiled'))

const { run } = await import('./program.ts')
process.exitCode = await run(process.argv.slice(2))

function cacheHome(): string {
  return process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
}
