import { LinkspanError } from '../base/errors.ts'
import type { LinkRow } from '../link/rows.ts'
import type { MirrorContext } from './context.ts'
import { fenceTopic } from './fence.ts'
import type { LinkRunner } from './link-runner.ts'
import type { MirrorRow, SourceFence } from './rows.ts'
import { removeAcls } from './write-rights.ts'

/**
 * Denies the source's writers for a promotion: by ourselves where the link leads straight to a Kafka, else by the
 * daemon at its far end, where that grants us `can_edit` on the topic. Throws `unsupported` and `not-permitted` with
 * the reason.
 */
export async function fenceSource(context: MirrorContext, runner: LinkRunner, row: MirrorRow): Promise<void> {
  const { book, links } = context
  if (row.sourceFence !== null) return
  const remember = async (sourceFence: SourceFence) => {
    await book.change('fence source', row.mirrorId, (before) => ({ ...before, sourceFence }))
  }
  const { link } = runner
  if (link.reach === 'peer') {
    await remember({ by: 'peer' })
    await links.askPeer(link, { method: 'PUT', path: fencePath(row) }).catch(async (error: unknown) => {
      await forget(context, row)
      throw hinted(error, row, link)
    })
    return
  }
  const source = await runner.source()
  await fenceTopic(source, row.sourceTopic, (acls) => remember({ by: 'kafka', acls }))
}

/** Lets the source's writers write again; does nothing where they were not denied. Errors: those of the source. */
export async function liftSourceFence(context: MirrorContext, runner: LinkRunner, row: MirrorRow): Promise<void> {
  const { sourceFence } = context.book.byId(row.mirrorId) ?? row
  if (sourceFence === null) return
  if (sourceFence.by === 'kafka') await removeAcls(await runner.source(), sourceFence.acls)
  else await context.links.askPeer(runner.link, { method: 'DELETE', path: fencePath(row) })
  await forget(context, row)
}

async function forget({ book }: MirrorContext, { mirrorId }: MirrorRow): Promise<void> {
  await book.change('source fence lifted', mirrorId, (before) => ({ ...before, sourceFence: null }))
}

function fencePath({ sourceTopic }: MirrorRow): string {
  return `/1.0/topics/${encodeURIComponent(sourceTopic)}/fence`
}

/** What is hidden from us over there reads as if it were not there. */
function hinted(error: unknown, { sourceTopic }: MirrorRow, link: LinkRow): unknown {
  if (!(error instanceof LinkspanError) || !['not-found', 'not-permitted'].includes(error.code)) return error
  const wayOut = `the other side has to grant this cluster "topic ${sourceTopic} can_edit", or stop the writers itself`
  const text = `Over link "${link.name}" the writers of '${sourceTopic}' cannot be denied: ${wayOut}`
  return new LinkspanError('not-permitted', text, { cause: error })
}
