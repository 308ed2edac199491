import type { LogConfig, Logs } from '../log/types.ts'
import type { Topic } from './types.ts'

/** Logs that are opened or deleted at a time. */
const concurrency = 32

/** Makes or opens the logs of all partitions. */
export async function openTopicLogs(
  logs: Logs,
  topics: readonly Topic[],
  configOf: (topic: Topic) => LogConfig,
): Promise<void> {
  const wanted = topics.flatMap((topic) => {
    const config = configOf(topic)
    return range(0, topic.partitions).map((partition) => ({ topic, partition, config }))
  })
  await forEach(wanted, async ({ topic: { topicId, name }, partition, config }) => {
    await logs.open({ topicId, topic: name, partition }, config)
  })
}

/** Those that are there, from one partition on to just before another. */
export async function deleteLogs(
  logs: Logs,
  topicId: string,
  { from, to }: { from: number; to: number },
): Promise<void> {
  await forEach(range(from, to), async (partition) => {
    await logs.delete(topicId, partition)
  })
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index)
}

/** Throws the first error, once nothing is under way any more. */
async function forEach<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let first = 0; first < items.length; first += concurrency) {
    const outcomes = await Promise.allSettled(items.slice(first, first + concurrency).map(work))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }
}
