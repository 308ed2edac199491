import { createRequire } from 'node:module'

/** CRC-32C (Castagnoli) of `bytes`, continuing from `previous`; "123456789" gives 0xe3069283. Unsigned 32 bits. */
export const crc32c: (bytes: Uint8Array, previous?: number) => number = loadNative() ?? crc32cPortable

function loadNative(): ((bytes: Uint8Array, previous?: number) => number) | undefined {
  try {
    const native = createRequire(import.meta.url)('@node-rs/crc32') as {
      crc32c(bytes: Uint8Array, previous?: number): number
    }
    return (bytes, previous = 0) => native.crc32c(bytes, previous) >>> 0
  } catch {
    return undefined // no prebuilt binary for this platform
  }
}

const sliceCount = 8
let slices: Uint32Array[] | undefined

/** Slice-by-8 in plain JavaScript, for platforms without the native library. */
export function crc32cPortable(bytes: Uint8Array, previous = 0): number {
  slices ??= buildSlices()
  const [t0, t1, t2, t3, t4, t5, t6, t7] = slices as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ]
  let crc = ~previous >>> 0
  let at = 0
  const last = bytes.length - sliceCount
  for (; at <= last; at += sliceCount) {
    const low = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    crc =
      t7[low & 0xff]! ^
      t6[(low >>> 8) & 0xff]! ^
      t5[(low >>> 16) & 0xff]! ^
      t4[low >>> 24]! ^
      t3[bytes[at + 4]!]! ^
      t2[bytes[at + 5]!]! ^
      t1[bytes[at + 6]!]! ^
      t0[bytes[at + 7]!]!
  }
  for (; at < bytes.length; at += 1) crc = t0[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}

function buildSlices(): Uint32Array[] {
  const tables = Array.from({ length: sliceCount }, () => new Uint32Array(256))
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    tables[0]![byte] = crc
  }
  for (let slice = 1; slice < sliceCount; slice += 1) {
    for (let byte = 0; byte < 256; byte += 1) {
      const before = tables[slice - 1]![byte]!
      tables[slice]![byte] = tables[0]![before & 0xff]! ^ (before >>> 8)
    }
  }
  return tables
}
