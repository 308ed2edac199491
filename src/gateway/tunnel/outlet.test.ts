import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Frame } from '../../transport/frame-reader.ts'
import { oversizedSlab } from '../../transport/slabs.ts'
import { joinWithin } from './outlet.ts'

/** A frame somewhere in a slab, with other bytes around it. */
function frameOf(content: Uint8Array, before = 9, after = 7): Frame {
  const slab = oversizedSlab(before + 4 + content.length + after)
  slab.bytes.fill(0xee)
  slab.bytes.set(content, before + 4)
  return { slab, bytes: slab.bytes.subarray(before + 4, before + 4 + content.length), release: () => {} }
}

const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 6 })

test('pieces of the size that they had are laid around the records, which stay where they are', () => {
  fc.assert(
    fc.property(pieces, pieces, (headers, records) => {
      const count = Math.min(headers.length, records.length)
      const parts = headers.slice(0, count).flatMap((header, index) => [header, records[index]!])
      // The first header takes the four bytes of the frame's length too.
      const [head, ...rest] = parts as [Uint8Array, ...Uint8Array[]]
      const frame = frameOf(Buffer.concat([head.map((byte) => byte ^ 0xff), ...rest.map((part) => part)]))
      let at = head.length
      const chunks: Uint8Array[] = [Buffer.concat([Buffer.from([1, 2, 3, 4]), head])]
      for (const [index, part] of rest.entries()) {
        const view = frame.bytes.subarray(at, at + part.length)
        chunks.push(index % 2 === 0 ? view : Buffer.from(part.map((byte) => byte ^ 0x55)))
        at += part.length
      }
      const expected = Buffer.concat(chunks)
      const around = Buffer.from(frame.slab.bytes)
      const joined = joinWithin(frame, chunks)
      assert.deepEqual(Buffer.from(joined!), expected)
      assert.equal(joined!.buffer, frame.slab.bytes.buffer)
      assert.deepEqual(frame.slab.bytes.subarray(0, 9), around.subarray(0, 9))
      assert.deepEqual(frame.slab.bytes.subarray(-7), around.subarray(-7))
    }),
  )
})

test('what is larger or smaller than it was, or lies elsewhere, is not joined', () => {
  const frame = frameOf(Buffer.from('hhhhRRRRhhRRRR'))
  const before = Buffer.from(frame.slab.bytes)
  const [first, second] = [frame.bytes.subarray(4, 8), frame.bytes.subarray(10, 14)]
  const head = Buffer.alloc(8)
  assert.ok(joinWithin(frame, [head.subarray(0, 6), first]), 'a shorter head leaves nothing behind it')
  frame.slab.bytes.set(before)
  assert.equal(joinWithin(frame, [head, first, Buffer.alloc(3), second]), undefined)
  assert.equal(joinWithin(frame, [head, second, Buffer.alloc(2), first]), undefined)
  assert.equal(joinWithin(frame, [Buffer.alloc(9), first]), undefined)
  assert.equal(joinWithin(frame, [head, first, Buffer.alloc(7)]), undefined)
  assert.equal(joinWithin(frame, [head]), undefined)
  assert.deepEqual(frame.slab.bytes, before)
})
