import { test } from 'node:test'
import type { FakeKafka } from '../../../test/support/fake-kafka.ts'
import { PumpBench, sizes, young } from '../../../test/support/pump-bench.ts'
import { apiVersions } from '../../wire/api/18-api-versions.ts'

test('a node that hangs is left when a request has taken too long, also by the question who leads', async () => {
  await using bench = new PumpBench()
  bench.source.log.fill(sizes(40), young)
  await bench.start({ nodes: 2, settings: { requestTimeoutMs: 300 } })
  await bench.mirrored()
  hang(bench.destination.nodes[0] as FakeKafka)
  bench.destination.move(1)
  bench.source.log.fill(sizes(10), young)
  await bench.mirrored()
})

/** Takes connections and bytes as a stopped process does, and answers nothing. */
function hang(node: FakeKafka): void {
  node.on(apiVersions, () => {})
  for (const socket of node.sockets) socket.removeAllListeners('data').resume()
}
