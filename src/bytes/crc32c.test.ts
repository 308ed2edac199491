import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { crc32c, crc32cPortable } from './crc32c.ts'
import { crc32cShift, crc32cWord } from './crc32c-shift.ts'

test('the check value of the CRC catalogue comes out', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
  assert.equal(crc32cPortable(Buffer.from('123456789')), 0xe3069283)
  assert.equal(crc32c(Buffer.alloc(0)), 0)
})

test('the native and the portable function agree, in one piece and in two', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(), (bytes, cut) => {
      const at = cut % (bytes.length + 1)
      const whole = crc32cPortable(bytes)
      assert.equal(crc32c(bytes), whole)
      assert.equal(crc32cPortable(bytes.subarray(at), crc32cPortable(bytes.subarray(0, at))), whole)
      assert.equal(crc32c(bytes.subarray(at), crc32c(bytes.subarray(0, at))), whole)
    }),
  )
})

test('words and shifts give the difference of two CRCs', () => {
  const pieces = fc.tuple(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(70_000))
  fc.assert(
    fc.property(pieces, fc.nat(70_000), ([difference, before], after) => {
      const zeros = Buffer.alloc(before + 16 + after)
      const changed = Buffer.from(zeros)
      changed.set(difference, before)
      let register = 0
      for (let at = before; at < before + 16; at += 4) register = crc32cWord(register, changed.readInt32LE(at))
      assert.equal(crc32cShift(register, after) >>> 0, (crc32c(changed) ^ crc32c(zeros)) >>> 0)
    }),
    { numRuns: 50 },
  )
})

test('shifts add up, also over counts that no buffer has', () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(2 ** 31 - 1), fc.nat(2 ** 31 - 1), (register, left, right) => {
      assert.equal(crc32cShift(crc32cShift(register, left), right), crc32cShift(register, left + right))
    }),
  )
})
