import { join } from 'node:path'
import { LinkspanError } from '../../base/errors.ts'
import { crc32c } from '../../bytes/crc32c.ts'
import { Reader } from '../../bytes/reader.ts'
import { Writer } from '../../bytes/writer.ts'
import { type Files, replaceFile } from './files.ts'
import { snapshotDraftName, snapshotName } from './layout.ts'
import { type ProducerEntry, rememberedBatchesMax } from './producer-entry.ts'

const version = 1
/** Version and CRC-32C of what follows them. */
const prefixBytes = 6

/** All producers of a partition at one offset; Kafka keeps the last batch of each, we keep the last five. */
export function encodeSnapshot(producers: Iterable<ProducerEntry>): Buffer {
  const writer = new Writer(1024)
  writer.int16(version)
  writer.uint32(0)
  for (const entry of producers) writeEntry(writer, entry)
  const bytes = Buffer.from(writer.toBuffer())
  bytes.writeUInt32BE(crc32c(bytes.subarray(prefixBytes)), 2)
  return bytes
}

/** Undefined when it is damaged. */
export function decodeSnapshot(bytes: Buffer): ProducerEntry[] | undefined {
  if (bytes.length < prefixBytes || bytes.readInt16BE(0) !== version) return undefined
  if (crc32c(bytes.subarray(prefixBytes)) !== bytes.readUInt32BE(2)) return undefined
  const reader = new Reader(bytes, prefixBytes)
  const producers: ProducerEntry[] = []
  while (reader.remaining > 0) producers.push(readEntry(reader))
  return producers
}

/** Durable once the folder is synced. One of the same offset, which the checkpoint may need, is there all the time. */
export async function writeSnapshot(files: Files, folder: string, offset: number, bytes: Buffer): Promise<void> {
  await replaceFile(files, folder, { draft: snapshotDraftName, name: snapshotName(offset) }, bytes)
}

/** Undefined when it is missing or damaged. */
export async function readSnapshot(files: Files, folder: string, offset: number): Promise<ProducerEntry[] | undefined> {
  const bytes = await files.readFile(join(folder, snapshotName(offset)))
  return bytes && decodeSnapshot(bytes)
}

function writeEntry(writer: Writer, entry: ProducerEntry): void {
  writer.int64Bits(entry.producerId)
  writer.int16(entry.epoch)
  writer.float64(entry.lastTimestampMs)
  writer.int32(entry.coordinatorEpoch)
  writer.int64(entry.transactionStartOffset)
  writer.int8(entry.batches.length)
  for (const batch of entry.batches) {
    writer.int32(batch.lastSequence)
    writer.int64(batch.lastOffset)
    writer.int32(batch.offsetDelta)
    writer.float64(batch.timestampMs)
  }
}

function readEntry(reader: Reader): ProducerEntry {
  const entry: ProducerEntry = {
    producerId: reader.int64Bits(),
    epoch: reader.int16(),
    lastTimestampMs: reader.float64(),
    coordinatorEpoch: reader.int32(),
    transactionStartOffset: reader.int64(),
    batches: [],
  }
  const count = reader.int8()
  if (count < 0 || count > rememberedBatchesMax) throw new LinkspanError('corrupt', `${count} batches of a producer`)
  for (let index = 0; index < count; index += 1) {
    entry.batches.push({
      lastSequence: reader.int32(),
      lastOffset: reader.int64(),
      offsetDelta: reader.int32(),
      timestampMs: reader.float64(),
    })
  }
  return entry
}
