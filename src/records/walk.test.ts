import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { buildBatch } from './build.ts'
import * as header from './header.ts'
import { BatchCursor } from './walk.ts'

const batchBytesMax = 1 << 20

function batchAt(baseOffset: number, count: number): Buffer {
  const records = Array.from({ length: count }, (_, index) => {
    return { timestampMs: 1000 + index, key: null, value: Buffer.from(`value ${index}`) }
  })
  return buildBatch(records, { baseOffset })
}

function logOf(counts: number[]): { bytes: Buffer; starts: number[]; sizes: number[] } {
  let offset = 100
  let at = 0
  const batches = counts.map((count) => {
    const batch = batchAt(offset, count)
    offset += count
    return batch
  })
  const starts = batches.map((batch) => {
    at += batch.length
    return at - batch.length
  })
  return { bytes: Buffer.concat(batches), starts, sizes: batches.map((batch) => batch.length) }
}

/** Walks a copy that ends where the window ends, so that a read beyond it would throw. */
function walk(bytes: Uint8Array, sizeMax = batchBytesMax): { found: [number, number][]; cursor: BatchCursor } {
  const cursor = new BatchCursor()
  cursor.open(Buffer.from(bytes), 0, bytes.length, sizeMax)
  const found: [number, number][] = []
  while (cursor.next()) found.push([cursor.at, cursor.size])
  return { found, cursor }
}

const counts = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 })

test('every whole batch is passed, and a cut one at the end is not', () => {
  fc.assert(
    fc.property(counts, fc.nat(), (each, cut) => {
      const { bytes, starts, sizes } = logOf(each)
      const end = cut % (bytes.length + 1)
      const { found, cursor } = walk(bytes.subarray(0, end))
      const whole = starts.filter((start, index) => start + sizes[index]! <= end).length
      assert.deepEqual(
        found,
        starts.slice(0, whole).map((start, index) => [start, sizes[index]!]),
      )
      const rest = starts[whole] ?? bytes.length
      assert.equal(cursor.stop, rest === end ? 'end' : 'incomplete')
      assert.equal(cursor.at, rest)
      assert.equal(cursor.size, end - rest >= header.prefixBytes ? sizes[whole] : 0)
      assert.equal(cursor.next(), false)
    }),
  )
})

test('a window inside a larger buffer is kept to, and the cursor can be reused', () => {
  const { bytes, starts, sizes } = logOf([2, 3, 1])
  const cursor = new BatchCursor()
  cursor.open(bytes, 0, bytes.length, batchBytesMax)
  while (cursor.next());
  cursor.open(bytes, starts[1]!, starts[2]! + 20, batchBytesMax)
  assert.deepEqual([cursor.next(), cursor.at, cursor.size], [true, starts[1], sizes[1]])
  assert.deepEqual([cursor.next(), cursor.stop, cursor.size], [false, 'incomplete', sizes[2]])
})

test('whatever the bytes, the walk ends, throws nothing and passes only what its description allows', () => {
  const damaged = fc
    .tuple(counts, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }), fc.nat())
    .map(([each, damages, cut]) => {
      const { bytes } = logOf(each)
      for (const [at, byte] of damages) bytes[at % bytes.length] = byte
      return bytes.subarray(0, bytes.length - (cut % 80))
    })
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      const { found, cursor } = walk(bytes)
      const copy = Buffer.from(bytes)
      let position = 0
      let offsetMin = 0
      for (const [at, size] of found) {
        assert.equal(at, position)
        position += size
        const first = header.baseOffset(copy, at)
        const last = header.lastOffset(copy, at)
        assert.ok(size >= header.headerBytes && position <= bytes.length)
        assert.ok(first >= offsetMin && last >= first && Number.isSafeInteger(last + 1))
        assert.ok(header.recordCount(copy, at) >= 0 && header.recordCount(copy, at) <= last - first + 1)
        offsetMin = last + 1
      }
      assert.notEqual(cursor.stop, undefined)
      assert.equal(cursor.stop === 'end' || cursor.stop === 'incomplete', cursor.problem === '')
    }),
    { numRuns: 1000 },
  )
})

const damages: [name: string, stop: string, damage: (batch: Buffer) => unknown][] = [
  ['a length below the header', 'corrupt', (batch) => batch.writeInt32BE(48, header.lengthAt)],
  ['a negative length', 'corrupt', (batch) => batch.writeInt32BE(-1, header.lengthAt)],
  ['an absurd length', 'too-large', (batch) => batch.writeInt32BE(2 ** 31 - 1, header.lengthAt)],
  ['format 1', 'old-format', (batch) => batch.writeInt8(1, header.magicAt)],
  ['format 3', 'corrupt', (batch) => batch.writeInt8(3, header.magicAt)],
  ['a negative offset', 'corrupt', (batch) => batch.writeInt32BE(-1, header.baseOffsetAt)],
  ['an offset over 2^53', 'corrupt', (batch) => batch.writeInt32BE(0x200000, header.baseOffsetAt)],
  ['an offset that goes back', 'corrupt', (batch) => batch.writeInt32BE(99, header.baseOffsetAt + 4)],
  ['a negative last offset', 'corrupt', (batch) => batch.writeInt32BE(-1, header.lastOffsetDeltaAt)],
  ['a negative count', 'corrupt', (batch) => batch.writeInt32BE(-1, header.recordCountAt)],
  ['more records than offsets', 'corrupt', (batch) => batch.writeInt32BE(4, header.recordCountAt)],
]

test('each kind of damage has its own end', () => {
  for (const [name, stop, damage] of damages) {
    const { bytes, starts } = logOf([1, 3, 2])
    damage(bytes.subarray(starts[1]))
    const { found, cursor } = walk(bytes)
    assert.deepEqual([found.length, cursor.stop, cursor.at], [1, stop, starts[1]], name)
  }
})

test('more records than the bytes can hold are refused, unless they are compressed', () => {
  const batch = batchAt(0, 1)
  batch.writeInt32BE(1000, header.recordCountAt)
  batch.writeInt32BE(999, header.lastOffsetDeltaAt)
  assert.equal(walk(batch).cursor.problem, 'more records than bytes')
  batch.writeInt16BE(4, header.attributesAt)
  assert.equal(walk(batch).cursor.stop, 'end')
})

test('a batch over the limit is told from a cut one, also when the answer ends inside it', () => {
  const batch = batchAt(0, 5)
  const { cursor } = walk(batch.subarray(0, 20), batch.length - 1)
  assert.deepEqual([cursor.stop, cursor.size], ['too-large', batch.length])
  assert.equal(walk(batch, batch.length).cursor.stop, 'end')
})
