import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { restoreBackup } from '../../src/backup/restore.ts'
import { type Daemon, daemonMain, embeddedBroker, noKafka, startDaemon } from '../support/daemon.ts'
import { callV1 } from '../support/link-calls.ts'
import { startProcess, waitFor } from '../support/process.ts'
import { folder, proveWhatIsLeft, pull, recovery, rights, secret, startRestored } from '../support/restoring.ts'
import { appendTo, caughtUp, cli, linkDaemons } from '../support/sites.ts'

async function stateOf(at: Daemon, link: string): Promise<string> {
  const { cluster_link_members: members } = await at.client.clusterLinks.state(link)
  return members.map(({ status, reason }) => `${status}${reason ? `: ${reason}` : ''}`).join()
}

test('a restored host is the lost one, works on, and the old one is refused', { timeout: 120_000 }, async () => {
  await using west = await startDaemon({ name: 'west', kafka: embeddedBroker })
  await using east = await startDaemon({ name: 'east', kafka: embeddedBroker })
  await linkDaemons(west, east, rights)
  await east.client.server.changeConfig({ config: { 'linkspan.backup.recovery_key': recovery.publicText } })
  await appendTo(west, 'orders', ['one', 'two'], { create: true })
  await cli(east, 'kafka mirror create orders --link west')
  await caughtUp(east, 'west', 'orders', [2])
  const bytes = await pull(west, 'east')
  await appendTo(west, 'orders', ['three'])
  await east.kill()
  // What the other side did meanwhile is in no backup.
  const rotated = await callV1(west, 'POST', '/1.0/cluster/certificate', {})
  assert.equal((await west.client.operations.wait(rotated.metadata.id)).status, 'Success')

  await using place = await folder()
  const stateDir = join(place.path, 'state')
  assert.equal(await restoreBackup({ bytes, secret, directory: stateDir }), 2)
  await using restored = await startRestored(east, stateDir, [], embeddedBroker)
  assert.deepEqual(
    [restored.ready.clusterId, restored.ready.kafkaClusterId],
    [east.ready.clusterId, east.ready.kafkaClusterId],
  )
  assert.notEqual(restored.ready.fingerprint, east.ready.fingerprint)
  assert.deepEqual([await stateOf(restored, 'west'), await stateOf(west, 'east')], ['Active', 'Active'])
  const known = async () => (await west.client.identities.list())[0]?.id
  await waitFor(async () => (await known()) === (await restored.readReady()).fingerprint, { what: 'the newest pin' })
  await caughtUp(restored, 'west', 'orders', [3])
  await appendTo(west, 'orders', ['four'])
  await caughtUp(restored, 'west', 'orders', [4])
  assert.match(await cli(restored, 'verify orders --link west'), /orders/)
  const { metadata: certificate } = await callV1(restored, 'GET', '/1.0/cluster/certificate')
  assert.equal(certificate.rotation, null)

  // The old one comes back: on another port, as its own is taken.
  await using old = await startDaemon({ name: 'east', stateDir: east.stateDir, kafka: embeddedBroker })
  await old.process.waitForOutput(/refuses this host, because a host that was restored/)
  assert.match(await stateOf(old, 'west'), /^Unauthenticated: a host that was restored .* \(generation 2\)$/)
  assert.match((await old.cli(['status'])).stdout, /restored from a backup took the place of this one/)
  const rotate = await callV1(old, 'POST', '/1.0/cluster/certificate', {})
  const ended = await old.client.operations.wait(rotate.metadata.id)
  assert.match(JSON.stringify(ended.metadata?.untold), /does not trust this cluster/)
  assert.deepEqual([await stateOf(restored, 'west'), await stateOf(west, 'east')], ['Active', 'Active'])

  // A backup of the restored host counts on.
  assert.equal(
    await restoreBackup({ bytes: await pull(west, 'east'), secret, directory: join(place.path, 'third') }),
    3,
  )
})

for (const delayMs of [300, 450, 600, 800]) {
  test(`a restored host that is killed ${delayMs} ms into its first start is known all the same`, async () => {
    await using west = await startDaemon({ name: 'west' })
    await using east = await startDaemon({ name: 'east' })
    await linkDaemons(west, east, rights)
    await east.client.server.changeConfig({ config: { 'linkspan.backup.recovery_key': recovery.publicText } })
    const bytes = await pull(west, 'east')
    await east.kill()
    await using place = await folder()
    const stateDir = join(place.path, 'state')
    await restoreBackup({ bytes, secret, directory: stateDir })
    const words = ['--state-dir', stateDir, '--name', 'east', '--listen', east.ready.https, '--kafka', noKafka]
    await using first = startProcess(process.execPath, [daemonMain, ...words])
    await sleep(delayMs)
    first.kill()
    await first.waitForExit()
    await using restored = await startRestored(east, stateDir, [], noKafka)
    await waitFor(async () => (await callV1(restored, 'GET', '/1.0/cluster/certificate')).metadata.rotation === null)
    assert.deepEqual([await stateOf(restored, 'west'), await stateOf(west, 'east')], ['Active', 'Active'])
    assert.notEqual((await restored.readReady()).fingerprint, east.ready.fingerprint)
  })
}

test('what is left of a mirror in a Kafka that survived is proven before it is written to', {
  timeout: 120_000,
}, async () => {
  await using kafka = await startDaemon({ name: 'kafka', kafka: embeddedBroker })
  await proveWhatIsLeft(kafka.ready.kafka, (topic) => appendTo(kafka, topic, ['of somebody else']))
})
