import { explainError, isLinkspanError, LinkspanError } from '../base/errors.ts'
import { createLog, escapeControl, type Log } from '../base/log.ts'
import { type DaemonConfig, readConfig } from './config.ts'
import { type Daemon, startDaemon } from './daemon.ts'
import { notifySystemd } from './notify.ts'
import { helpText } from './settings.ts'
import { version } from './version.ts'

/** Of the whole stop; what is not done by then is left, which loses nothing that was acknowledged. */
const stopTimeoutMs = 10_000

/** Runs until a signal ends it. The exit code: see `errorTable`. */
export async function runDaemon(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<number> {
  try {
    const invocation = await readConfig(args, environment)
    if ('config' in invocation) return await serve(invocation.config)
    process.stdout.write(invocation.show === 'help' ? helpText() : `${version}\n`)
    return 0
  } catch (error) {
    const known = isLinkspanError(error)
    process.stderr.write(`linkspand: ${escapeControl(explainError(error))}\n`)
    if (!known && error instanceof Error) process.stderr.write(`${error.stack}\n`)
    return known ? error.exitCode : 1
  }
}

async function serve(config: DaemonConfig): Promise<number> {
  const { logLevel: level, logFormat: format } = config
  const log = createLog({ level, format, write: (line) => void process.stderr.write(line) })
  // From the first moment on: a signal during the start ends the start.
  const ending = Promise.withResolvers<'signal' | LinkspanError>()
  const signalled = (signal: string) => {
    log.info({ signal }, 'Stopping')
    ending.resolve('signal')
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, signalled)
  process.on('uncaughtException', (error) => ending.resolve(bugOf(error, log)))
  const starting = startDaemon(config, { log, onFailure: (error) => ending.resolve(error) })
  const started = await Promise.race([starting, ending.promise.then(() => undefined)])
  if (started) await sayReady(started, config, log)
  const reason = await ending.promise
  await notifySystemd('STOPPING=1', log)
  const stopped = await stopInTime(starting, log)
  if (reason !== 'signal') return reason.exitCode
  return stopped ? 0 : 1
}

async function sayReady(daemon: Daemon, config: DaemonConfig, log: Log): Promise<void> {
  const { https, fingerprint, kafka } = daemon.ready
  process.stdout.write(`linkspand is ready: https://${https} (${fingerprint.slice(0, 12)}), Kafka ${kafka}\n`)
  if (config.advertise.length === 0 && /^(127\.|localhost$|::1$)/.test(config.listen.host)) {
    const hint = 'Only this host can reach the port: open it with --listen HOST:PORT and --advertise HOST:PORT'
    log.info({ https }, hint)
  }
  await notifySystemd('READY=1', log)
}

/** False when it took too long. */
async function stopInTime(starting: Promise<Daemon>, log: Log): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>()
  const timer = setTimeout(() => resolve(false), stopTimeoutMs)
  const stopping = starting.then((daemon) => daemon.stop()).then(() => true as const)
  const stopped = await Promise.race([stopping, late])
  clearTimeout(timer)
  if (stopped) log.info({}, 'Stopped')
  else log.error({ stopTimeoutMs }, 'Not everything came to its end in time')
  return stopped
}

function bugOf(error: unknown, log: Log): LinkspanError {
  log.error({ err: error }, 'The daemon stops because of an error that nobody expected')
  return new LinkspanError('internal', explainError(error), { cause: error })
}
