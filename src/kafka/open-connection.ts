import { isLinkspanError, LinkspanError } from '../base/errors.ts'
import type { Dialler, DialTarget } from '../transport/dialler.ts'
import { FrameReader } from '../transport/frame-reader.ts'
import { SlabPool } from '../transport/slabs.ts'
import { describeTarget, KafkaConnection } from './connection.ts'
import {
  answerBytesMax,
  type ConnectionOptions,
  openTimeoutDefaultMs,
  ownSlabBytes,
  ownSlabsMax,
} from './connection-options.ts'

/**
 * Dials, exchanges versions and logs in.
 * Errors: those of dialling and of the login; `timeout`; `unreachable` when the broker ends the connection before it is
 * ready; the signal's reason.
 */
export async function openConnection(
  dialler: Dialler,
  target: DialTarget,
  options: ConnectionOptions,
): Promise<KafkaConnection> {
  options.signal?.throwIfAborted()
  const timeoutMs = options.openTimeoutMs ?? openTimeoutDefaultMs
  const timeout = AbortSignal.timeout(timeoutMs)
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout
  let connection: KafkaConnection | undefined
  const reader = new FrameReader({
    pool: options.pool ?? new SlabPool({ slabBytes: ownSlabBytes, slabsMax: ownSlabsMax }),
    frameBytesMax: answerBytesMax,
    onFrame: (frame) => (connection ? connection.receive(frame) : frame.release()),
    onError: (error) => connection?.close(error),
  })
  const abort = () => connection?.close(new LinkspanError('closed', `Opening ${connection.peer} was given up`))
  try {
    const socket = await dialler.dial(target, { onread: reader.onread, signal })
    connection = new KafkaConnection(socket, target, options)
    reader.attach(socket)
    void connection.closed.then(() => reader.close())
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    await connection.begin()
    logLife(connection, options)
    return connection
  } catch (error) {
    const who = connection?.peer ?? describeTarget(target)
    connection?.close()
    reader.close()
    if (options.signal?.aborted) throw options.signal.reason
    if (timeout.aborted) throw new LinkspanError('timeout', `${who} was not ready within ${timeoutMs} ms`)
    throw isLinkspanError(error, 'closed') ? notReady(error) : error
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function logLife(connection: KafkaConnection, { log }: ConnectionOptions): void {
  const { peer } = connection
  log.debug({ peer }, 'Connected to Kafka')
  void connection.closed.then(({ code, message }) => log.debug({ peer, code, reason: message }, 'Left Kafka'))
}

/** The usual reason is a client and a listener that do not mean the same protocol. */
function notReady(error: LinkspanError): LinkspanError {
  return new LinkspanError(
    'unreachable',
    `${error.message}, before it was ready: compare security.protocol with what that listener expects`,
  )
}
