import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../../base/clock.ts'
import { assert, isLinkspanError } from '../../base/errors.ts'
import { createLog, type LogLevel } from '../../base/log.ts'
import { PumpHost } from './host.ts'
import type { PumpCall, PumpMessage, PumpReply, WireError } from './protocol.ts'

/** What the thread is started with. */
export interface WorkerData {
  logLevel: LogLevel
  logFormat: 'text' | 'json'
}

const port = parentPort
assert(port, 'the pump worker is a worker thread')

const { logLevel, logFormat } = workerData as WorkerData
const host = new PumpHost({
  clock: systemClock,
  log: createLog({ level: logLevel, format: logFormat, write: (line) => void process.stderr.write(line) }),
  notify: post,
})

port.on('message', (call: PumpCall) => void answer(call))

async function answer({ call, request }: PumpCall): Promise<void> {
  post(await replyTo(call, request))
  if (request.kind === 'shutdown') port?.close()
}

async function replyTo(call: number, request: PumpCall['request']): Promise<PumpReply> {
  try {
    return { kind: 'reply', call, ok: true, value: await host.handle(request) }
  } catch (error) {
    return { kind: 'reply', call, ok: false, error: wireError(error) }
  }
}

function wireError(error: unknown): WireError {
  if (isLinkspanError(error)) return { code: error.code, message: error.message, details: error.details }
  return { code: 'internal', message: 'The pump failed', details: { cause: String(error) } }
}

function post(message: PumpMessage): void {
  port?.postMessage(message)
}
