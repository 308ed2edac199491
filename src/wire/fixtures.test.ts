import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fetch } from './api/01-fetch.ts'
import { metadata } from './api/03-metadata.ts'
import { offsetFetch } from './api/09-offset-fetch.ts'
import { describeConfigs } from './api/32-describe-configs.ts'
import { apis } from './api/index.ts'
import { decodeResponse, encodeResponse } from './frame.ts'
import type { Api, ResponseOf } from './schema.ts'

/** Answers of real brokers, recorded by `test/kafka/record-fixtures.ts`. */
interface Fixture {
  api: string
  version: number
  answer: string
}

const folder = join(import.meta.dirname, 'fixtures')

for (const file of readdirSync(folder)) {
  const fixtures = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Fixture[]
  const answersOf = <A extends Api>(api: A): [number, ResponseOf<A>][] => {
    return fixtures
      .filter((fixture) => fixture.api === api.name)
      .map(({ version, answer }) => [version, decodeResponse(api, version, Buffer.from(answer, 'hex'))])
  }

  describe(file, () => {
    test('every API was recorded', () => {
      assert.deepEqual(new Set(fixtures.map(({ api }) => api)), new Set(apis.map(({ name }) => name)))
    })

    test('what the broker wrote is written again to the same bytes', () => {
      for (const { api: name, version, answer } of fixtures) {
        const api = apis.find((one) => one.name === name)!
        const frame = Buffer.from(answer, 'hex')
        const decoded = decodeResponse(api, version, frame)
        const again = Buffer.concat(encodeResponse(api, version, frame.readInt32BE(0), decoded)).subarray(4)
        assert.equal(again.toString('hex'), answer, `${name} v${version}`)
      }
    })

    test('the answers mean what the broker meant', () => {
      for (const [, { topics, brokers }] of answersOf(metadata)) {
        assert.equal(brokers[0]!.host, '127.0.0.1')
        assert.deepEqual(topics[0]!.partitions.map(({ partitionIndex }) => partitionIndex).sort(), [0, 1])
      }
      for (const [version, { responses }] of answersOf(fetch)) {
        const [first, second] = responses[0]!.partitions
        assert.equal(first!.highWatermark, 7, `v${version}: three records, three aborted ones, their marker`)
        assert.deepEqual(
          first!.abortedTransactions!.map(({ firstOffset }) => firstOffset),
          [3],
        )
        assert.ok(first!.records!.length > 100)
        assert.equal(second!.errorCode, 1)
      }
      for (const [version, { topics, groups }] of answersOf(offsetFetch)) {
        const [committed, none] = (version < 8 ? topics : groups[0]!.topics)[0]!.partitions
        assert.deepEqual([committed!.committedOffset, committed!.metadata], [2n, 'by hand'])
        assert.equal(none!.committedOffset, -1n)
      }
      for (const [, { results }] of answersOf(describeConfigs)) {
        const values = results[0]!.configs.map(({ name, value }) => [name, value])
        assert.deepEqual(new Map(values as [string, string][]).get('cleanup.policy'), 'delete')
      }
    })
  })
}
