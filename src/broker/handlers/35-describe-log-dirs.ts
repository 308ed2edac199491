import { describeLogDirs } from '../../wire/api/35-describe-log-dirs.ts'
import { kafkaErrors } from '../../wire/errors.ts'
import type { RequestOf } from '../../wire/schema.ts'
import { answer, defineHandler, type RequestContext } from './handler.ts'
import { logOf } from './partitions.ts'
import { mayServer } from './topic-rights.ts'

type DescribeLogDirsRequest = RequestOf<typeof describeLogDirs>

/** There is one, and where it is concerns nobody who comes over Kafka's protocol. */
const logDir = 'linkspan'

/** How many bytes partitions take, and how many the disk has left. */
export const describeLogDirsHandler = defineHandler<typeof describeLogDirs>({
  api: describeLogDirs,
  versions: describeLogDirs.versions,
  async handle(request, context) {
    const { node, session } = context
    if (!mayServer(session, 'can_view_resources')) {
      return answer<typeof describeLogDirs>({ errorCode: kafkaErrors.CLUSTER_AUTHORIZATION_FAILED })
    }
    const topics = sizesOf(request, context)
    try {
      const { totalBytes, usableBytes } = await node.logs.usage()
      // Kafka means the size of the disk; of that, what belongs to others is no room for logs.
      const results = [{ errorCode: 0, logDir, topics, totalBytes: totalBytes + usableBytes, usableBytes }]
      return answer<typeof describeLogDirs>({ results })
    } catch (error) {
      node.log.error({ err: error }, 'The size of the logs could not be read')
      return answer<typeof describeLogDirs>({ results: [{ errorCode: kafkaErrors.KAFKA_STORAGE_ERROR, logDir }] })
    }
  },
})

/** What is not there is left out, as at Apache's broker. */
function sizesOf({ topics }: DescribeLogDirsRequest, { node }: RequestContext) {
  const all = node.catalog.list().map(({ name, partitions }) => {
    return { topic: name, partitions: Array.from({ length: partitions }, (_, partition) => partition) }
  })
  return (topics ?? all).flatMap(({ topic: name, partitions }) => {
    const topic = node.catalog.get(name)
    if (!topic) return []
    const found = partitions.flatMap((partitionIndex) => {
      const log = logOf(node, topic, partitionIndex)
      return log ? [{ partitionIndex, partitionSize: log.sizeBytes, offsetLag: 0, isFutureKey: false }] : []
    })
    return found.length > 0 ? [{ name, partitions: found }] : []
  })
}
