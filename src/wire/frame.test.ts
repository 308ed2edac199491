import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reader } from '../bytes/reader.ts'
import { findCoordinator } from './api/10-find-coordinator.ts'
import { apiVersions } from './api/18-api-versions.ts'
import { apis, apisByKey } from './api/index.ts'
import { decodeRequestBody, isFlexible } from './codec.ts'
import { decodeRequestHeader, decodeResponse, encodeRequest, encodeResponse, skipTaggedFields } from './frame.ts'
import type { Api } from './schema.ts'

/** A frame without its size, which is checked. */
function unframed(chunks: Uint8Array[]): Buffer {
  const frame = Buffer.concat(chunks)
  assert.equal(frame.readInt32BE(0), frame.length - 4)
  return frame.subarray(4)
}

test('a request of every version goes out with the header that its version has', () => {
  for (const api of apis) {
    for (let version = api.versions[0]; version <= api.versions[1]; version += 1) {
      for (const clientId of [null, '', 'lïnkspan']) {
        const reader = new Reader(unframed(encodeRequest(api as Api, version, 77, clientId, {})))
        assert.deepEqual(decodeRequestHeader(reader), {
          apiKey: api.key,
          apiVersion: version,
          correlationId: 77,
          clientId,
        })
        if (isFlexible(api, version)) skipTaggedFields(reader)
        decodeRequestBody(api, version, reader)
        assert.equal(reader.remaining, 0, `${api.name} v${version}`)
      }
    }
  }
})

test('an answer of every version comes back, the old header of ApiVersions included', () => {
  for (const api of apis) {
    for (let version = api.versions[0]; version <= api.versions[1]; version += 1) {
      const frame = unframed(encodeResponse(api as Api, version, 77, {}))
      assert.equal(frame.readInt32BE(0), 77)
      decodeResponse(api as Api, version, frame)
    }
  }
  assert.equal(unframed(encodeResponse(apiVersions, 3, 1, { errorCode: 35 })).readInt16BE(4), 35)
})

test('bytes as Kafka writes them: FindCoordinator in the old and the flexible form', () => {
  const old = unframed(encodeRequest(findCoordinator, 2, 5, 'me', { key: 'group', keyType: 1 }))
  assert.equal(old.toString('hex'), '000a000200000005' + '00026d65' + '000567726f7570' + '01')
  const flexible = unframed(encodeRequest(findCoordinator, 4, 5, 'me', { coordinatorKeys: ['group'] }))
  assert.equal(flexible.toString('hex'), '000a000400000005' + '00026d65' + '00' + '00' + '02' + '0667726f7570' + '00')
})

test('a version that is not spoken is refused before a byte is written or read', () => {
  for (const version of [-1, 5, 1.5, Number.NaN]) {
    assert.throws(() => encodeRequest(apiVersions, version, 1, null, {}), { code: 'unsupported' })
    assert.throws(() => decodeResponse(apiVersions, version, Buffer.alloc(20)), { code: 'unsupported' })
  }
})

test('header and tagged fields that are cut or lie are blamed', () => {
  const header = Buffer.from('000a00020000000500026d65', 'hex')
  for (let length = 0; length < header.length; length += 1) {
    assert.throws(() => decodeRequestHeader(new Reader(header.subarray(0, length))), { code: 'malformed' })
  }
  const wrong = Buffer.from('000a0002000000057fff6d65', 'hex')
  assert.throws(() => decodeRequestHeader(new Reader(wrong)), { code: 'malformed' })
  for (const hex of ['ffffffff0f', '010005', '4100']) {
    assert.throws(() => skipTaggedFields(new Reader(Buffer.from(hex, 'hex'))), { code: 'malformed' })
  }
})

test('APIs are found by key, each once', () => {
  assert.equal(apisByKey.size, apis.length)
  for (const [key, api] of apisByKey) assert.equal(api.key, key)
})
