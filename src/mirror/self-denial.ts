import { authorizerFacts } from '../kafka/admin/authorizer.ts'
import type { MirrorContext } from './context.ts'
import { bindingProblem, denial } from './plan/read-only.ts'
import type { MirrorRow } from './rows.ts'
import { principalOf, removeAcls, rightsSettle, tryCreateAcls } from './write-rights.ts'

/**
 * Where an authorizer binds us, an append of ours that is still under way can be refused: our own principal is denied
 * writing until nobody looks for late writes any more. Nothing is done when all appends were answered, when we are a
 * super user, or when it cannot be told whom Kafka knows us as. To be called after the pump has stopped.
 */
export async function denyOurselves(context: MirrorContext, { mirrorId, topic }: MirrorRow): Promise<void> {
  const { book, destination, destinationSpec, clock, log } = context
  const row = book.byId(mirrorId)
  const principal = principalOf(destinationSpec)
  if (!row || row.partitions.every(({ quiet }) => quiet) || row.selfDenial.length > 0) return
  if (principal === undefined || row.readOnly.mode !== 'deny-writers') return
  if (bindingProblem(await authorizerFacts(destination)) !== undefined) return
  const selfDenial = [denial(topic, principal)]
  await book.change('deny ourselves', mirrorId, (before) => ({ ...before, selfDenial }))
  const made = await tryCreateAcls(destination, selfDenial)
  if (made === true && (await rightsSettle(destination, topic, false, clock))) return
  log.warn({ topic, reason: made }, 'Late appends of a mirror could not be denied: they are looked for instead')
}

/** Takes it back: before anything is written again, and once no late append is expected any more. */
export async function allowOurselves(context: MirrorContext, row: MirrorRow): Promise<void> {
  const { book, destination, clock } = context
  const selfDenial = book.byId(row.mirrorId)?.selfDenial ?? row.selfDenial
  if (selfDenial.length === 0) return
  await removeAcls(destination, selfDenial)
  await rightsSettle(destination, row.topic, true, clock)
  await book.change('allow ourselves', row.mirrorId, (before) => ({ ...before, selfDenial: [] }))
}
