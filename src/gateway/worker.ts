import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../base/clock.ts'
import { assert, explainError, LinkspanError } from '../base/errors.ts'
import { createLog } from '../base/log.ts'
import { type FrontConnection, TlsFront } from '../transport/listener.ts'
import { AuditTrail } from './audit.ts'
import type { FromWorker, GatewayStats, GatewayWorkerData, ToWorker } from './messages.ts'
import { relayHttp } from './relay.ts'
import { AccessRights } from './tunnel/access-rights.ts'
import { TunnelServer } from './tunnel/tunnel-server.ts'

assert(parentPort, 'the gateway worker runs as a worker')
const port = parentPort
const data = workerData as GatewayWorkerData
const log = createLog({ ...data.log, write: (line) => void process.stderr.write(line) })
const send = (message: FromWorker) => port.postMessage(message)
const audit = new AuditTrail((event) => send({ kind: 'audit', event }), systemClock)
const access = new AccessRights(data.snapshot, systemClock)

const tunnels = new TunnelServer({
  spec: data.kafkaSpec,
  rightsOf: (fingerprint) => access.of(fingerprint),
  limits: data.limits.tunnel,
  audit,
  clock: systemClock,
  log,
})

const front = new TlsFront({
  listen: data.listen,
  certificatePem: data.certificatePem,
  privateKeyPem: data.privateKeyPem,
  limits: data.limits.front,
  onConnection: (connection) => dispatch(connection),
  onRefused: ({ address, reason, detail }) => {
    audit.record({ name: 'connection-refused', address, detail: `${reason}: ${detail}` })
  },
})

function dispatch(connection: FrontConnection): void {
  if (connection.protocol === 'tunnel') tunnels.accept(connection)
  else relayHttp(connection, data.internalSocketPath)
}

async function handle(message: ToWorker): Promise<GatewayStats | undefined> {
  switch (message.kind) {
    case 'access':
      access.replace(message.snapshot)
      return undefined
    case 'revoke':
      for (const fingerprint of message.fingerprints) front.closeByFingerprint(fingerprint)
      return undefined
    case 'kafka':
      await tunnels.useKafka(message.spec)
      return undefined
    case 'certificate':
      front.setCertificate(message.certificatePem, message.privateKeyPem)
      return undefined
    case 'stats':
      return { connections: front.connections, ...tunnels.stats }
    case 'close':
      await Promise.all([front.close(message.graceMs), tunnels[Symbol.asyncDispose]()])
      return undefined
  }
}

port.on('message', (message: ToWorker) => {
  const { id } = message
  handle(message).then(
    (stats) => send({ kind: 'done', id, ...(stats ? { stats } : {}) }),
    (error) => send({ kind: 'failed', id, ...failureOf(error) }),
  )
})

function failureOf(error: unknown) {
  const code = error instanceof LinkspanError ? error.code : 'internal'
  return { code, message: explainError(error) }
}

try {
  send({ kind: 'listening', address: await front.listen() })
} catch (error) {
  send({ kind: 'not-listening', ...failureOf(error) })
}
