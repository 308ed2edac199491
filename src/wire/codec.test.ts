import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiVersions } from './api/18-api-versions.ts'
import { decodeResponse, encodeResponse } from './frame.ts'

test('an answer survives both directions in every version', () => {
  for (let version = 0; version <= 4; version += 1) {
    const answer = { errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] }
    const frame = Buffer.concat(encodeResponse(apiVersions, version, 7, answer))
    assert.equal(frame.readInt32BE(0), frame.length - 4)
    const decoded = decodeResponse(apiVersions, version, frame.subarray(4))
    assert.deepEqual(decoded.apiKeys, answer.apiKeys)
    assert.equal(decoded.finalizedFeaturesEpoch, -1)
  }
})

test('a claimed count larger than the frame is refused before anything is allocated', () => {
  const frame = Buffer.from([0, 0, 0, 7, 0, 0, 0x7f, 0xff, 0xff, 0xff])
  assert.throws(() => decodeResponse(apiVersions, 0, frame), { code: 'malformed' })
})
