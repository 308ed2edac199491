import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { isLinkspanError, LinkspanError } from '../base/errors.ts'
import { unixHttp } from '../transport/pinned-fetch.ts'
import type { Connection } from './connection.ts'

/** The same choice as the daemon's: flag, environment, default of the user. */
export function stateDirectory(flag: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  const given = flag ?? env.LINKSPAN_DIR
  if (given === '') throw new LinkspanError('usage', 'The state directory is empty: name one, or leave it out')
  if (given !== undefined) return resolve(given)
  return process.getuid?.() === 0 ? '/var/lib/linkspan' : join(homedir(), '.local', 'state', 'linkspan')
}

/** To the daemon of this machine, by the administrator's socket. */
export function connectLocal(stateDir: string): Connection {
  const socketPath = join(stateDir, 'unix.socket')
  return { connections: unixHttp(socketPath), explain: (error) => explained(error, { socketPath, stateDir }) }
}

interface Daemon {
  socketPath: string
  stateDir: string
}

function explained(error: unknown, { socketPath, stateDir }: Daemon): unknown {
  if (!isLinkspanError(error, 'unreachable')) return error
  const reason = (error.cause as NodeJS.ErrnoException | undefined)?.code
  const options = { details: { socketPath, ...(reason === undefined ? {} : { reason }) } }
  if (reason === 'EACCES' || reason === 'EPERM') {
    const sentence = `${socketPath} is not yours to open: run this as the user who runs the daemon`
    return new LinkspanError('not-permitted', sentence, options)
  }
  if (reason === 'ENOENT' || reason === 'ECONNREFUSED' || reason === 'ENOTDIR') {
    const wayOut = `start one with "linkspand --state-dir ${stateDir}", or name another by --state-dir or LINKSPAN_DIR`
    return new LinkspanError('unreachable', `No Linkspan daemon answers at ${socketPath}: ${wayOut}`, options)
  }
  return new LinkspanError('unreachable', `The daemon at ${socketPath} closed the connection before it answered`, {
    ...options,
    cause: error.cause,
  })
}
