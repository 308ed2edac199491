import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { explainError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'

const timeoutMs = 5000

/**
 * Tells systemd, if it started us, through its own tool: Node cannot send datagrams on Unix sockets. The message comes
 * from a child process, so the unit needs NotifyAccess=all.
 */
export async function notifySystemd(state: 'READY=1' | 'STOPPING=1', log: Log): Promise<void> {
  if (!process.env.NOTIFY_SOCKET) return
  try {
    await promisify(execFile)('systemd-notify', [`--pid=${process.pid}`, state], { timeout: timeoutMs })
  } catch (error) {
    log.warn({ reason: explainError(error) }, 'systemd could not be notified; does the unit have NotifyAccess=all?')
  }
}
