import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { kafkaAvailable } from '../test/kafka/jars.ts'
import { run } from '../test/support/process.ts'

const main = join(import.meta.dirname, 'main.ts')

describe('the benchmark of the mirror', await kafkaAvailable('4'), () => {
  test('copies by daemons, direct and through the tunnel, compares every batch and writes its JSON line', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'linkspan-test-'))
    try {
      const file = join(folder, 'result.json')
      const words = ['mirror', '--codec', 'lz4', '--records', '20000', '--pairs', '1', '--skip-mm2', '--json', file]
      const { code, stdout, stderr } = await run(process.execPath, [main, ...words], { timeoutMs: 150_000 })
      assert.equal(code, 0, `${stdout}\n${stderr}`)
      const text = await readFile(file, 'utf8')
      assert.equal(stdout.trimEnd().split('\n').at(-1), text.trimEnd())
      const { passed, results } = JSON.parse(text)
      assert.equal(passed, true)
      const [{ data, runs }] = results
      assert.equal(data.records, 20_000)
      assert.deepEqual(
        runs.map((one: { kind: string; difference: string | null; passedRawShare: number }) => {
          return [one.kind, one.difference, one.passedRawShare]
        }),
        [
          ['tunnel', null, 1],
          ['direct', null, 1],
        ],
      )
      for (const one of runs) {
        assert.equal(one.batchesCompared, data.batches)
        assert.ok(one.cpuPerGb > 0 && one.megabytesPerSecond > 0)
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})

test('wrong usage ends with code 2 and says what is right', async () => {
  const wrong = [['nothing'], ['mirror', '--codec', 'gzip'], ['mirror', '--pairs', '0'], ['mirror', '--no-such-flag']]
  for (const words of wrong) {
    const { code, stderr } = await run(process.execPath, [main, ...words])
    assert.equal(code, 2, stderr)
    assert.match(stderr, /mirror|none, lz4, zstd|whole number/)
  }
})
