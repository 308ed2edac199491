import { createRequire } from 'node:module'
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { LinkspanError } from '../base/errors.ts'
import { tooLarge } from './codec-parts.ts'
import type { Codec } from './header.ts'
import { decompressLz4 } from './lz4.ts'
import { compressSnappy, decompressSnappy } from './snappy.ts'

interface WasmCodecs {
  lz4Compress(data: Buffer): Buffer
  snappyCompress(data: Buffer): Buffer
}

/** Larger pieces than Node's 16 KiB: fewer turns for records of a megabyte. */
const chunkSize = 64 * 1024

let loaded: WasmCodecs | undefined

/** Loaded by the first lz4 or snappy batch that is built: most processes never build one. */
function wasmCodecs(): WasmCodecs {
  loaded ??= createRequire(import.meta.url)('@platformatic/wasm-utils') as WasmCodecs
  return loaded
}

/** Compresses records as Kafka's own clients do: gzip, xerial snappy, an LZ4 frame of independent blocks, zstd. */
export function compress(codec: Codec, records: Buffer): Buffer {
  switch (codec) {
    case 'none':
      return records
    case 'gzip':
      return gzipSync(records)
    case 'snappy':
      return compressSnappy(records, (chunk) => wasmCodecs().snappyCompress(chunk))
    case 'lz4':
      return wasmCodecs().lz4Compress(records)
    case 'zstd':
      return zstdCompressSync(records)
  }
}

/**
 * The records of a batch as one buffer (for `none` a view of `payload`); ends in `too-large` over
 * `decompressedBytesMax` bytes, before they are held, and in `malformed` when the payload is not what the codec says.
 */
export function decompress(codec: Codec, payload: Buffer, decompressedBytesMax: number): Buffer {
  switch (codec) {
    case 'none':
      if (payload.length > decompressedBytesMax) throw tooLarge(decompressedBytesMax)
      return payload
    case 'gzip':
      return inflate(codec, decompressedBytesMax, () => {
        return gunzipSync(payload, { maxOutputLength: decompressedBytesMax, chunkSize })
      })
    case 'snappy':
      return decompressSnappy(payload, decompressedBytesMax)
    case 'lz4':
      return decompressLz4(payload, decompressedBytesMax)
    case 'zstd':
      return inflate(codec, decompressedBytesMax, () => {
        return zstdDecompressSync(payload, { maxOutputLength: decompressedBytesMax, chunkSize })
      })
  }
}

function inflate(codec: Codec, bytesMax: number, run: () => Buffer): Buffer {
  try {
    return run()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax)
    throw new LinkspanError('malformed', `The records of the batch are no ${codec} data`, { cause: error })
  }
}
