import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reader } from '../../bytes/reader.ts'
import { produce } from '../../wire/api/00-produce.ts'
import { offsetFetch } from '../../wire/api/09-offset-fetch.ts'
import { isFlexible } from '../../wire/codec.ts'
import { decodeRequestHeader, encodeRequest, skipTaggedFields } from '../../wire/frame.ts'
import { checkRequestSize } from './request-size.ts'

function check(version: number, topics: number, partitions: number): void {
  const partition = { index: 0, records: Buffer.alloc(3) }
  const topic = { name: 'some topic', partitionData: Array.from({ length: partitions }, () => partition) }
  const body = { transactionalId: 'id', topicData: Array.from({ length: topics }, () => topic) }
  const bytes = Buffer.concat(encodeRequest(produce, version, 1, 'client', body)).subarray(4)
  const reader = new Reader(bytes)
  decodeRequestHeader(reader)
  if (isFlexible(produce, version)) skipTaggedFields(reader)
  checkRequestSize(produce, version, bytes, reader.offset)
}

test('produce requests may be large, but not of endlessly many parts', () => {
  for (let version = produce.versions[0]; version <= produce.versions[1]; version += 1) {
    check(version, 3, 4)
    check(version, 100, 150)
    assert.throws(() => check(version, 20_001, 0), { code: 'malformed', message: /20000 topics and partitions/ })
    assert.throws(() => check(version, 2, 10_000), { code: 'malformed' })
  }
  const cut = Buffer.concat(encodeRequest(produce, 9, 1, null, { topicData: [{ name: 'x' }] })).subarray(4)
  for (let end = 15; end < cut.length; end += 1) {
    assert.throws(() => checkRequestSize(produce, 9, cut.subarray(0, end), 13), { code: 'malformed' })
  }
})

test('other requests are small', () => {
  checkRequestSize(offsetFetch, 8, Buffer.alloc(8 * 1024 * 1024), 10)
  const large = Buffer.alloc(8 * 1024 * 1024 + 1)
  assert.throws(() => checkRequestSize(offsetFetch, 8, large, 10), { code: 'malformed', message: /OffsetFetch/ })
})
