/**
 * The answer to a request that may wait for minutes; undefined when its client has left before, so that nothing of the
 * request is held any longer. The group goes on as if it had not noticed, as in Apache's broker.
 */
export function untilGone<Result>(answer: Promise<Result>, signal: AbortSignal): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const leave = () => resolve(undefined)
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
