import { isLinkspanError } from '../../base/errors.ts'
import { Reader } from '../../bytes/reader.ts'
import { decodeStruct } from '../../wire/codec.ts'
import { array, string } from '../../wire/schema.ts'

/** ConsumerProtocolSubscription in version 0, with which all later versions begin. */
const subscription = { topics: array(string()) }

/** The topics that consumers subscribe to, by what they gave when they joined; undefined when one cannot be read. */
export function subscribedTopics(metadata: readonly Uint8Array[]): Set<string> | undefined {
  const topics = new Set<string>()
  try {
    for (const bytes of metadata) {
      const reader = new Reader(bytes)
      reader.int16()
      for (const topic of decodeStruct(subscription, 0, false, reader).topics) topics.add(topic)
    }
    return topics
  } catch (error) {
    if (isLinkspanError(error, 'malformed')) return undefined
    throw error
  }
}
