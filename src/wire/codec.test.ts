import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { arbitraryMessage, completed } from '../../test/support/arbitrary-message.ts'
import { isLinkspanError } from '../base/errors.ts'
import { Reader } from '../bytes/reader.ts'
import { Writer } from '../bytes/writer.ts'
import { apis } from './api/index.ts'
import { decodeStruct, encodeStruct, isFlexible } from './codec.ts'
import type { Struct } from './schema.ts'

interface Side {
  name: string
  fields: Struct
  version: number
  flexible: boolean
}

const sides: Side[] = apis.flatMap((api) => {
  const versions = Array.from({ length: api.versions[1] - api.versions[0] + 1 }, (_, index) => api.versions[0] + index)
  return versions.flatMap((version) => {
    const flexible = isFlexible(api, version)
    return [
      { name: `${api.name} request v${version}`, fields: api.request, version, flexible },
      { name: `${api.name} response v${version}`, fields: api.response, version, flexible },
    ]
  })
})

function encode(side: Side, message: Record<string, unknown>): Buffer {
  const writer = new Writer()
  encodeStruct(side.fields, side.version, side.flexible, message, writer)
  return writer.toBuffer()
}

function decode(side: Side, bytes: Uint8Array): Record<string, unknown> {
  const reader = new Reader(bytes)
  const message = decodeStruct(side.fields, side.version, side.flexible, reader)
  assert.ok(reader.remaining >= 0)
  return message
}

function messageOf(side: Side): fc.Arbitrary<Record<string, unknown>> {
  return arbitraryMessage(side.fields, side.version, side.flexible)
}

/** Buffers and plain arrays of bytes compare equal when their bytes do. */
function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, comparable(inner)]))
}

/** A decode, or an error that blames the bytes: nothing else may come of what a peer sends. */
function decodesOrBlames(side: Side, bytes: Uint8Array): 'decoded' | 'blamed' {
  try {
    decode(side, bytes)
    return 'decoded'
  } catch (error) {
    if (isLinkspanError(error, 'malformed')) return 'blamed'
    throw error
  }
}

test('every version of every message survives both directions, byte for byte', () => {
  for (const side of sides) {
    const property = fc.property(messageOf(side), (message) => {
      const bytes = encode(side, message)
      const decoded = decode(side, bytes)
      assert.deepEqual(comparable(decoded), comparable(completed(side.fields, message)), side.name)
      assert.deepEqual(encode(side, decoded), bytes, side.name)
    })
    fc.assert(property, { numRuns: 15 })
  }
})

test('a message that is cut anywhere is refused', () => {
  for (const side of sides) {
    const property = fc.property(messageOf(side), (message) => {
      const bytes = encode(side, message)
      for (let length = 0; length < bytes.length; length += 1) {
        assert.equal(decodesOrBlames(side, bytes.subarray(0, length)), 'blamed', `${side.name} cut at ${length}`)
      }
    })
    fc.assert(property, { numRuns: 3 })
  }
})

test('lengths and counts that lie end in a decode or in blame, wherever they stand', () => {
  const lies = ['7fffffff', 'ffffffff', '80000000', '7fff', 'ffff', 'ffffffff07', 'ffffffff0f', 'ffffffffff7f', '00']
  for (const side of sides) {
    const property = fc.property(messageOf(side), fc.constantFrom(...lies), (message, lie) => {
      const bytes = encode(side, message)
      for (let at = 0; at < bytes.length; at += 1) {
        const wrong = Buffer.from(bytes)
        wrong.write(lie, at, 'hex')
        decodesOrBlames(side, wrong)
      }
    })
    fc.assert(property, { numRuns: 5 })
  }
})

test('random damage and random bytes end in a decode or in blame', () => {
  for (const side of sides) {
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(0xff)), { minLength: 1, maxLength: 8 })
    const damaged = fc.tuple(messageOf(side), damage).map(([message, changes]) => {
      const bytes = encode(side, message)
      for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte
      return bytes
    })
    const noise = fc.uint8Array({ maxLength: 200 })
    const property = fc.property(fc.oneof(damaged, noise), (bytes) => void decodesOrBlames(side, bytes))
    fc.assert(property, { numRuns: 25 })
  }
})

test('the same byte all over, in a frame of a mebibyte, is answered at once', () => {
  for (const byte of [0x00, 0x01, 0x02, 0x7f, 0x80, 0xff]) {
    const bytes = new Uint8Array(1 << 20).fill(byte)
    for (const side of sides) decodesOrBlames(side, bytes)
  }
})
