import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { restoreBackup } from '../../src/backup/restore.ts'
import type { InstanceBackup, Operation } from '../../src/contract/v1.ts'
import { createRecoveryKey, parseRecoverySecret } from '../../src/identity/recovery-key.ts'
import { type Daemon, embeddedBroker, startDaemon } from './daemon.ts'
import { callV1, exported } from './link-calls.ts'
import { waitFor } from './process.ts'
import { appendTo, caughtUp, cli, linkDaemons } from './sites.ts'

export const recovery = createRecoveryKey()
export const secret = parseRecoverySecret(recovery.secretPem)
export const rights = ['topic can_read', 'consumer_group can_view', 'instance can_manage_backups']

export async function folder(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'linkspan-restore-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** The newest state of the other side of a link, sealed. */
export async function pull(at: Daemon, link: string): Promise<Buffer> {
  const path = `/1.0/cluster/links/${link}/backups`
  const started = await callV1(at, 'POST', path)
  const ended: Operation = await at.client.operations.wait(started.metadata.id)
  assert.equal(ended.status, 'Success', ended.err)
  const { backups } = ended.metadata as { backups: [InstanceBackup] }
  return exported(at.http, `${path}/${backups[0].name}/export`)
}

/** The host that was lost, on its old port. */
export function startRestored(lost: Daemon, stateDir: string, args: string[], kafka: string): Promise<Daemon> {
  return startDaemon({ stateDir, name: 'east', kafka, args: ['--listen', lost.ready.https, ...args] })
}

/**
 * A host is lost, and the Kafka that it fronted is not: mirrors are proven against their sources before anything is
 * written, those that somebody else has written to fail, and what was paused stays so. `spoil` appends to a topic.
 */
export async function proveWhatIsLeft(
  kafka: string,
  spoil: (topic: string) => Promise<unknown>,
  prefix = '',
): Promise<void> {
  const [kept, changed, held] = ['kept', 'changed', 'held'].map((name) => `${prefix}${name}`) as [
    string,
    string,
    string,
  ]
  await using west = await startDaemon({ name: 'west', kafka: embeddedBroker })
  await using east = await startDaemon({ name: 'east', kafka })
  await linkDaemons(west, east, rights)
  await east.client.server.changeConfig({ config: { 'linkspan.backup.recovery_key': recovery.publicText } })
  for (const topic of [kept, changed, held]) {
    await appendTo(west, topic, ['one', 'two'], { create: true })
    await cli(east, `kafka mirror create ${topic} --link west`)
    await caughtUp(east, 'west', topic, [2])
  }
  await cli(east, `kafka mirror pause ${held} --link west`)
  const bytes = await pull(west, 'east')
  await east.kill()
  await spoil(changed)
  await appendTo(west, kept, ['three'])
  await appendTo(west, changed, ['three'])

  await using place = await folder()
  await restoreBackup({ bytes, secret, directory: join(place.path, 'state') })
  await using restored = await startRestored(east, join(place.path, 'state'), [], kafka)
  await caughtUp(restored, 'west', kept, [3])
  const statusOf = async (topic: string) => (await restored.client.kafka.mirrors.get('west', topic)).mirror_status
  for (const [topic, status] of [
    [changed, 'FAILED'],
    [held, 'PAUSED'],
  ] as const) {
    await waitFor(async () => (await statusOf(topic)) === status, { timeoutMs: 20_000, what: `${topic} is ${status}` })
  }
  const failed = await restored.client.kafka.mirrors.get('west', changed, { includeErrors: true })
  assert.match(JSON.stringify(failed), /no copy of the source: at offset 2/)
}
