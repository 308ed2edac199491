import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import { waitFor } from '../support/process.ts'

const timeoutMs = 60_000
const intervalMs = 100

/** Who leads some topics of a cluster whose nodes a test kills. The cluster should give up a node that hangs soon. */
export class Leaders {
  readonly #cluster: KafkaCluster
  readonly #topics: readonly string[]

  constructor(cluster: KafkaCluster, topics: readonly string[]) {
    this.#cluster = cluster
    this.#topics = topics
  }

  /** How many partitions of each topic a node leads. */
  async ledBy(nodeId: number): Promise<number[]> {
    const partitions = await this.#partitions()
    return partitions.map((ofTopic) => ofTopic.filter(({ leader }) => leader === nodeId).length)
  }

  /** The node that leads partitions of the most topics, and then the most of them. */
  async busiest(nodeIds: readonly number[]): Promise<number> {
    const weighed = await Promise.all(
      nodeIds.map(async (nodeId) => {
        const counts = await this.ledBy(nodeId)
        const topics = counts.filter((count) => count > 0).length
        return { nodeId, weight: topics * 1000 + counts.reduce((sum, count) => sum + count, 0) }
      }),
    )
    weighed.sort((left, right) => right.weight - left.weight)
    return (weighed[0] as { nodeId: number }).nodeId
  }

  /** Until others lead all of what this node led. */
  async movedFrom(nodeId: number): Promise<void> {
    const moved = async () => {
      const leaders = (await this.#partitions()).flat().map(({ leader }) => leader)
      return leaders.length > 0 && leaders.every((leader) => leader >= 0 && leader !== nodeId)
    }
    await waitFor(moved, { timeoutMs, intervalMs, what: `other leaders than node ${nodeId}` })
  }

  /** Until every partition has so many replicas in sync. */
  async inSync(replicas: number): Promise<void> {
    const synced = async () => {
      const all = (await this.#partitions()).flat()
      return all.length > 0 && all.every(({ inSync, leader }) => inSync.length === replicas && leader >= 0)
    }
    await waitFor(synced, { timeoutMs, intervalMs, what: 'all replicas in sync' })
  }

  async #partitions() {
    await this.#cluster.refresh(this.#topics)
    return this.#topics.map((topic) => this.#cluster.cache.topic(topic)?.partitions ?? [])
  }
}
