import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
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
