import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isLinkspanError } from '../base/errors.ts'
import { compress, decompress } from './codecs.ts'
import { codecs } from './header.ts'
import { decompressLz4 } from './lz4.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'

const bytesMax = 1 << 20

const contents = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.nat(3000).map((n) => new Uint8Array(n).fill(n)),
    ),
    {
      minLength: 1,
      maxLength: 30,
    },
  )
  .map((parts) => Buffer.concat(parts))
  .filter((content) => content.length > 0)

test('contents survive every codec', () => {
  fc.assert(
    fc.property(contents, fc.constantFrom(...codecs), (content, codec) => {
      assert.ok(decompress(codec, compress(codec, content), content.length).equals(content))
    }),
    { numRuns: 200 },
  )
})

test('contents of many blocks survive every codec', () => {
  const content = Buffer.alloc(bytesMax)
  for (let at = 0; at < content.length; at += 1) content[at] = (at * at) >>> (at % 5)
  for (const codec of codecs) assert.ok(decompress(codec, compress(codec, content), bytesMax).equals(content), codec)
})

test('whatever the bytes, a codec ends in bytes or in one of its errors', () => {
  const damages = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 })
  fc.assert(
    fc.property(contents, fc.constantFrom(...codecs), damages, fc.nat(), (content, codec, bad, cut) => {
      const damaged = Buffer.from(compress(codec, content))
      for (const [at, byte] of bad) damaged[at % damaged.length] = byte
      try {
        const output = decompress(codec, damaged.subarray(0, damaged.length - (cut % 6)), bytesMax)
        assert.ok(output.length <= bytesMax)
      } catch (error) {
        assert.ok(isLinkspanError(error, 'malformed', 'too-large'), String(error))
      }
    }),
    { numRuns: 1500 },
  )
})

/** Written by the C library, with block checksum, content size and content checksum. */
const foreignFrame =
  '04224d187c40b3000000000000009032000000796f6666736574200700fa083b207468652073616d6520776f72647320616761696e2c25' +
  '00030e000f2c005b502c20656e64140434510000000001c6cf96'
const foreignContent = `${'offset offset offset; the same words again, '.repeat(4)}end`

test('an LZ4 frame of the reference library is read, one or several', () => {
  const frame = Buffer.from(foreignFrame, 'hex')
  assert.equal(decompressLz4(frame, 1000).toString(), foreignContent)
  assert.equal(decompressLz4(Buffer.concat([frame, frame]), 1000).toString(), foreignContent + foreignContent)
})

function frameOf(flags: number, blocks: Buffer[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0x04, 0x22, 0x4d, 0x18, flags, 0x40, 0])]
  for (const block of blocks) {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(block.length)
    parts.push(size, block)
  }
  return Buffer.concat([...parts, Buffer.alloc(4)])
}

const letters = Buffer.concat([Buffer.from([0x80]), Buffer.from('abcdefgh')])
/** A match of eight bytes, eight back, then five literals. */
const repeat = Buffer.concat([Buffer.from([0x04, 8, 0, 0x50]), Buffer.from('12345')])

test('a linked block may look back into the block before, an independent one may not', () => {
  assert.equal(decompressLz4(frameOf(0x40, [letters, repeat]), 100).toString(), 'abcdefghabcdefgh12345')
  assert.throws(() => decompressLz4(frameOf(0x60, [letters, repeat]), 100), { code: 'malformed' })
})

test('frames that Kafka does not know are refused', () => {
  assert.throws(() => decompressLz4(frameOf(0x61, [letters]), 100), { code: 'malformed', message: /dictionary/ })
  assert.throws(() => decompressLz4(frameOf(0xa0, [letters]), 100), { code: 'malformed', message: /version/ })
  assert.throws(() => decompressLz4(Buffer.from('not a frame'), 100), { code: 'malformed', message: /header/ })
  assert.throws(() => decompressLz4(frameOf(0x60, [letters]).subarray(0, -4), 100), { code: 'malformed' })
})

test('a block that swells over its frame size or over the limit is stopped', () => {
  const bomb = Buffer.concat([Buffer.from([0x1f, 0x61, 1, 0]), Buffer.alloc(1000, 255), Buffer.from([0, 0x10, 0x61])])
  assert.throws(() => decompressLz4(frameOf(0x60, [bomb]), bytesMax), { code: 'malformed', message: /size/ })
  assert.throws(() => decompressLz4(frameOf(0x60, [bomb]), 50_000), { code: 'too-large' })
})

test('snappy is read raw, framed, and framed several times', () => {
  const raw = (chunk: Buffer) => Buffer.concat([Buffer.from([chunk.length, (chunk.length - 1) << 2]), chunk])
  const framed = compressSnappy(Buffer.from('framed'), raw)
  assert.equal(decompressSnappy(raw(Buffer.from('plain')), 100).toString(), 'plain')
  assert.equal(decompressSnappy(framed, 100).toString(), 'framed')
  assert.equal(decompressSnappy(Buffer.concat([framed, framed]), 100).toString(), 'framedframed')
})

test('snappy copies of every kind are followed, overlapping ones too', () => {
  // Four letters; one-byte offset 4, length 4; two-byte offset 2, length 10; four-byte offset 18, length 2.
  const raw = Buffer.from([20, 0x0c, 0x61, 0x62, 0x63, 0x64, 0x01, 4, 0x26, 2, 0, 0x07, 18, 0, 0, 0])
  assert.equal(decompressSnappy(raw, 100).toString(), 'abcdabcdcdcdcdcdcdab')
  raw[raw.length - 4] = 19
  assert.throws(() => decompressSnappy(raw, 100), { code: 'malformed', message: /start/ })
})

test('a snappy chunk cannot claim what its bytes cannot hold', () => {
  const claim = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0x00, 0x61])
  assert.throws(() => decompressSnappy(claim, 2 ** 40), { code: 'malformed', message: /size/ })
  assert.throws(() => decompressSnappy(Buffer.alloc(0), 100), { code: 'malformed' })
})
