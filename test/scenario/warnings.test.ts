import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Warning } from '../../src/contract/v1.ts'
import { type Daemon, embeddedBroker, startDaemon } from '../support/daemon.ts'
import { callV1 } from '../support/link-calls.ts'
import { freePorts } from '../support/ports.ts'
import { waitFor } from '../support/process.ts'

async function warningsOf(daemon: Daemon): Promise<Warning[]> {
  return (await callV1(daemon, 'GET', '/1.0/warnings?recursion=1')).metadata as Warning[]
}

test('a Kafka that is not there is a warning, which outlives the daemon and ends when the Kafka comes', async () => {
  const [port] = await freePorts(1)
  const kafka = `127.0.0.1:${port}`
  await using first = await startDaemon({ name: 'front', kafka })
  const warning = await waitFor(async () => (await warningsOf(first))[0], { what: 'a warning' })
  assert.deepEqual([warning.type, warning.severity, warning.status], ['Kafka is not reached', 'high', 'new'])
  assert.match(warning.last_message, /nothing listens there/)
  await callV1(first, 'PUT', `/1.0/warnings/${warning.uuid}`, { status: 'acknowledged' })
  await first.kill()
  await using second = await startDaemon({ name: 'front', kafka, stateDir: first.stateDir })
  assert.equal((await warningsOf(second))[0]?.status, 'acknowledged')
  await using _ = await startDaemon({ name: 'kafka', kafka: embeddedBroker, args: ['--broker-listen', kafka] })
  const resolved = async () => (await warningsOf(second)).every(({ status }) => status === 'resolved')
  await waitFor(resolved, { timeoutMs: 30_000, what: 'the end of the warning' })
})
