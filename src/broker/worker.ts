import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../base/clock.ts'
import { assert, explainError, LinkspanError } from '../base/errors.ts'
import { createLog } from '../base/log.ts'
import type { HostPort } from '../transport/address.ts'
import type { BrokerWorkerData, FromWorker, ToWorker } from './messages.ts'
import { type OpenNode, openNode } from './open-node.ts'
import { type BrokerServer, startBrokerServer } from './server/broker-server.ts'

assert(parentPort, 'the broker worker runs as a worker')
const port = parentPort
const data = workerData as BrokerWorkerData
const log = createLog({ ...data.log, write: (line) => void process.stderr.write(line) })
const send = (message: FromWorker) => port.postMessage(message)

/** Before it listens nobody asks. */
let listening: HostPort = data.listen

function advertised(): HostPort {
  const { host, port: wantedPort } = data.advertise ?? listening
  return { host, port: wantedPort === 0 ? listening.port : wantedPort }
}

async function start(): Promise<void> {
  const { folder, clusterId, config, topicDefaults, listen, security, snapshot, socketPath } = data
  const known = clusterId === undefined ? {} : { clusterId }
  const open = await openNode({ folder, ...known, config, topicDefaults, clock: systemClock, log, advertised })
  try {
    const { node } = open
    const { server, address } = await startBrokerServer({ node, listen, security, snapshot, socketPath })
    listening = address
    listenToControl(open, server)
    send({ kind: 'listening', address, advertised: advertised(), clusterId: node.clusterId })
  } catch (error) {
    await open.dispose()
    throw error
  }
}

function listenToControl(open: OpenNode, server: BrokerServer): void {
  const handle = async (message: ToWorker): Promise<void> => {
    if (message.kind === 'access') server.updateAccess(message.snapshot)
    else if (message.kind === 'certificate') server.setCertificate(message.certificate)
    else {
      await server.close(message.graceMs)
      await open.dispose()
    }
  }
  port.on('message', (message: ToWorker) => {
    const { id } = message
    handle(message).then(
      () => send({ kind: 'done', id }),
      (error) => send({ kind: 'failed', id, ...failureOf(error) }),
    )
  })
}

function failureOf(error: unknown) {
  const code = error instanceof LinkspanError ? error.code : 'internal'
  if (code === 'internal') log.error({ err: error }, 'The broker met an error that nobody expected')
  return { code, message: explainError(error) }
}

try {
  await start()
} catch (error) {
  send({ kind: 'not-listening', ...failureOf(error) })
}
