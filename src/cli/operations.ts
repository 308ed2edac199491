import { systemClock } from '../base/clock.ts'
import { isLinkspanError, LinkspanError } from '../base/errors.ts'
import { errorOf } from '../client/http.ts'
import type { Operation } from '../contract/v1.ts'
import type { Context } from './context.ts'
import { Progress } from './progress.ts'

export interface FollowOptions {
  /** As long as it takes unless told. */
  timeoutMs?: number | undefined
  /** The line to show while it runs; its description unless told. */
  describe?: (operation: Operation) => string
}

/** How often the line of progress is renewed. */
const sliceMs = 500
const successStatus = 200

/** Waits for the end and shows progress meanwhile. Throws the operation's error when it did not succeed. */
export async function followOperation(context: Context, id: string, options: FollowOptions = {}): Promise<Operation> {
  const { timeoutMs = Number.POSITIVE_INFINITY, describe = ({ description }) => description } = options
  const endMs = systemClock.monotonicMs() + timeoutMs
  using progress = new Progress(context)
  for (;;) {
    const leftMs = Math.max(0, endMs - systemClock.monotonicMs())
    const operation = await waitSlice(context, id, Math.min(leftMs, sliceMs))
    if (operation.status_code === successStatus) return operation
    if (operation.status_code > successStatus) throw failureOf(operation)
    if (leftMs === 0) throw new LinkspanError('timeout', `Operation ${id} is still running`)
    progress.update(describe(operation))
  }
}

/** LXD's way of saying that it goes on is an error of this call. */
async function waitSlice(context: Context, id: string, ms: number): Promise<Operation> {
  try {
    return await context.client.operations.wait(id, ms / 1000)
  } catch (error) {
    if (!isLinkspanError(error, 'internal', 'timeout')) throw error
    return context.client.operations.get(id)
  }
}

function failureOf({ id, status, err, err_code }: Operation): LinkspanError {
  const error = err || `Operation ${id} ended: ${status}`
  const body = JSON.stringify({ type: 'error', error_code: err_code || 500, error })
  return errorOf({ status: 500, headers: {}, body }) ?? new LinkspanError('internal', error)
}
