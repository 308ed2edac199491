import { Type } from 'typebox'
import { LinkspanError } from '../../base/errors.ts'

import { entityUrl } from '../../contract/entities.ts'
import { AlterMirrors } from '../../contract/kafka-v3.ts'
import type { Operation } from '../../events/operation.ts'
import type { MirrorView } from '../../mirror/mirrors.ts'
import type { TopicProof } from '../../mirror/verify/verify.ts'
import { defineRoute, type Route } from '../route.ts'
import { selectMirrors } from './mirror-selection.ts'
import { linkAccess, linkOf, linkPath, topicRefOf, type V3Rooms } from './rooms.ts'

/** Each reads two logs: more of them would only slow each other, and the mirrors, down. */
const runningMax = 4
const progressIntervalMs = 500

/** Ours: compares both sides in the background; the operation's metadata has the proofs. */
export function mirrorVerifyRoute(rooms: V3Rooms): Route {
  let running = 0
  return defineRoute({
    method: 'POST',
    path: `${linkPath}/mirrors::verify`,
    summary: 'Compare mirror topics with their sources, record for record',
    access: linkAccess('can_view'),
    body: AlterMirrors,
    answers: [202],
    result: Type.Object({ operation: Type.String({ description: 'URL of the operation in /1.0' }) }),
    handler: (request) => {
      const { mirrors, operations } = rooms
      const link = linkOf(rooms, request)
      const known = mirrors.list(link).map(({ row }) => row.topic)
      const views = selectMirrors(request.body, known).map((topic) => mirrors.get(link, topic))
      if (running >= runningMax) {
        throw new LinkspanError('rate-limited', `${runningMax} comparisons are running: wait for one to end`)
      }
      const operation = operations.run(
        {
          class: 'task',
          description: 'Verifying mirror topics',
          resources: { topics: views.map(({ row }) => entityUrl(topicRefOf(row.topic))) },
          mayCancel: true,
          requestor: request.requestor,
        },
        async (own, signal) => {
          running += 1
          try {
            return { proofs: await verifyAll(rooms, views, own, signal) }
          } finally {
            running -= 1
          }
        },
      )
      const url = `/1.0/operations/${operation.id}`
      return { status: 202, headers: { location: url }, body: { operation: url } }
    },
  })
}

async function verifyAll(
  { mirrors, clock }: V3Rooms,
  views: readonly MirrorView[],
  operation: Operation,
  signal: AbortSignal,
): Promise<TopicProof[]> {
  const proofs: TopicProof[] = []
  let toldMs = Number.NEGATIVE_INFINITY
  for (const view of views) {
    const { topic } = view.row
    const proof = await mirrors.verify(view, {
      signal,
      onProgress: (progress) => {
        if (clock.monotonicMs() - toldMs < progressIntervalMs) return
        toldMs = clock.monotonicMs()
        operation.update({ progress: { topic, ...progress }, proofs })
      },
    })
    proofs.push(proof)
  }
  return proofs
}
