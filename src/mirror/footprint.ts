import type { AclBinding } from '../kafka/admin/acl-names.ts'
import type { MirrorBook } from './book.ts'

/** What this daemon has changed in the Kafka cluster that it fronts, and has not taken back. */
export interface Footprint {
  topicsCreated: { topic: string; mirrorId: string; createdMs: number }[]
  topicsAdopted: { topic: string; mirrorId: string; createdMs: number }[]
  /** Mirror topics whose configs are held at values of ours until they are promoted. */
  configsPinned: string[]
  acls: AclBinding[]
  groupOffsets: { group: string; topics: string[] }[]
}

export function footprintOf(book: MirrorBook): Footprint {
  const made = book.list().filter(({ topicId, intent }) => topicId !== null || intent !== null)
  const topic = ({ topic, mirrorId, createdMs }: (typeof made)[number]) => ({ topic, mirrorId, createdMs })
  return {
    topicsCreated: made.filter(({ adopted }) => !adopted).map(topic),
    topicsAdopted: made.filter(({ adopted }) => adopted).map(topic),
    configsPinned: made.filter(({ state }) => state.name !== 'STOPPED').map(({ topic: name }) => name),
    acls: made.flatMap(({ readOnly }) => readOnly.acls),
    groupOffsets: book.groups().map(({ group, topics }) => ({ group, topics: [...topics] })),
  }
}
