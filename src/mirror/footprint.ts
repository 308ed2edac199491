import type { AclBinding } from '../kafka/admin/acl-names.ts'
import type { MirrorBook } from './book.ts'
import type { FenceRow } from './rows.ts'

/** What this daemon has changed in the Kafka cluster that it fronts, and has not taken back. */
export interface Footprint {
  topicsCreated: { topic: string; mirrorId: string; createdMs: number }[]
  topicsAdopted: { topic: string; mirrorId: string; createdMs: number }[]
  /** Mirror topics whose configs are held at values of ours until they are promoted. */
  configsPinned: string[]
  acls: AclBinding[]
  /** Topics whose writers are denied for a mirror elsewhere. */
  fences: string[]
  /** Of mirrors whose source's writers are denied: made over there. */
  sourceFences: { topic: string; sourceTopic: string; by: 'kafka' | 'peer' }[]
  groupOffsets: { group: string; topics: string[] }[]
}

export function footprintOf(book: MirrorBook, fences: readonly FenceRow[]): Footprint {
  const made = book.list().filter(({ topicId, intent }) => topicId !== null || intent !== null)
  const topic = ({ topic, mirrorId, createdMs }: (typeof made)[number]) => ({ topic, mirrorId, createdMs })
  return {
    topicsCreated: made.filter(({ adopted }) => !adopted).map(topic),
    topicsAdopted: made.filter(({ adopted }) => adopted).map(topic),
    configsPinned: made.filter(({ state }) => state.name !== 'STOPPED').map(({ topic: name }) => name),
    acls: [
      ...made.flatMap(({ readOnly, selfDenial }) => [...readOnly.acls, ...selfDenial]),
      ...fences.flatMap(({ acls }) => acls),
    ],
    fences: fences.map(({ topic: name }) => name),
    sourceFences: made.flatMap(({ topic: name, sourceTopic, sourceFence }) => {
      return sourceFence === null ? [] : [{ topic: name, sourceTopic, by: sourceFence.by }]
    }),
    groupOffsets: book.groups().map(({ group, topics }) => ({ group, topics: [...topics] })),
  }
}
