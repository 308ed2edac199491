import { LinkspanError } from '../../base/errors.ts'
import { Reader } from '../../bytes/reader.ts'
import { produce } from '../../wire/api/00-produce.ts'
import { isFlexible } from '../../wire/codec.ts'
import { skipTaggedFields } from '../../wire/frame.ts'
import type { Api } from '../../wire/schema.ts'

/**
 * Of every request but Produce, which brings data: a megabyte of one-byte items takes fifty in memory. Assignments of
 * the largest groups and offsets of all partitions stay far below.
 */
const plainRequestBytesMax = 8 * 1024 * 1024
/** Topics and partitions of one Produce request; this broker has no more partitions than that. */
const producePartsMax = 20_000

/**
 * Refuses, before anything is made of them, requests that would take many times their own size in memory. `bodyAt`:
 * where the body begins. Throws `malformed`.
 */
export function checkRequestSize(api: Api, version: number, bytes: Uint8Array, bodyAt: number): void {
  if (api.key === produce.key) checkProduceParts(new Reader(bytes, bodyAt), version)
  else if (bytes.length > plainRequestBytesMax) {
    throw new LinkspanError('malformed', `${bytes.length} bytes are more than ${api.name} ever needs`)
  }
}

/** Counts them while moving over everything else. */
function checkProduceParts(reader: Reader, version: number): void {
  const flexible = isFlexible(produce, version)
  const count = () => Math.max(0, flexible ? reader.uvarint() - 1 : reader.int32())
  const skipText = () => reader.take(Math.max(0, flexible ? reader.uvarint() - 1 : reader.int16()))
  const skipTags = () => flexible && skipTaggedFields(reader)
  let left = producePartsMax
  const take = (parts: number) => {
    left -= parts
    if (left < 0) throw new LinkspanError('malformed', `more than ${producePartsMax} topics and partitions`)
  }
  skipText()
  reader.take(2 + 4) // acks, timeout
  const topics = count()
  take(topics)
  for (let topic = 0; topic < topics; topic += 1) {
    if (version >= 13) reader.take(16)
    else skipText()
    const partitions = count()
    take(partitions)
    for (let partition = 0; partition < partitions; partition += 1) {
      reader.take(4)
      reader.take(count())
      skipTags()
    }
    skipTags()
  }
}
