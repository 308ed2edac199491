import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DirectDialler } from './direct-dialler.ts'

test('bootstrap servers take turns, so that one that accepts and then hangs is not asked for ever', async () => {
  const accepted = [0, 0]
  const servers = accepted.map((_, index) => {
    const server = createServer((socket) => {
      accepted[index] = (accepted[index] as number) + 1
      socket.on('error', () => {})
    })
    return server.listen(0, '127.0.0.1')
  })
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const bootstrap = servers.map((server) => ({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }))
  await using dialler = new DirectDialler({ reach: 'kafka', clientId: 'linkspan-test', bootstrap })
  try {
    for (let dial = 0; dial < 4; dial += 1) (await dialler.dial({ kind: 'bootstrap' })).destroy()
    assert.deepEqual(accepted, [2, 2])
  } finally {
    for (const server of servers) server.close()
  }
})

test('with a Unix socket every dial goes there, whatever addresses say', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-dial-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const socketPath = join(folder, 'kafka.socket')
  const bootstrap = [{ host: 'nowhere.invalid', port: 9092 }]
  await using dialler = new DirectDialler({ reach: 'kafka', clientId: 'linkspan-test', bootstrap, socketPath })
  await assert.rejects(dialler.dial({ kind: 'bootstrap' }), {
    code: 'unreachable',
    message: /kafka\.socket: .*no such socket/,
  })
  const server = createServer((socket) => socket.on('error', () => {}).end('x')).listen(socketPath)
  await once(server, 'listening')
  try {
    dialler.learn([{ nodeId: 1, host: 'elsewhere.invalid', port: 1 }])
    for (const target of [{ kind: 'bootstrap' }, { kind: 'node', nodeId: 1 }, { kind: 'node', nodeId: 7 }] as const) {
      const socket = await dialler.dial(target)
      assert.equal(String((await once(socket, 'data'))[0]), 'x')
      socket.destroy()
    }
  } finally {
    server.close()
  }
})
