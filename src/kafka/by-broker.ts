import { kafkaErrors } from '../wire/errors.ts'
import type { KafkaCluster } from './cluster.ts'
import type { CallOptions, TopicPartition } from './cluster-options.ts'
import type { KafkaConnection } from './connection.ts'
import type { Deadline } from './deadline.ts'
import { askInRounds, controllerNode, type Located, type Outcome, type Reply, type Rounds } from './rounds.ts'

export type LedPartition<I extends TopicPartition> = I & { leaderEpoch: number }

export function partitionKey(topic: string, partition: number): string {
  return `${topic}\n${partition}`
}

/** Rounds over partitions, each asked at its leader. */
export async function askLeaders<I extends TopicPartition, T>(
  cluster: KafkaCluster,
  items: readonly I[],
  operation: string,
  ask: (connection: KafkaConnection, items: LedPartition<I>[]) => Promise<Reply<T>[]>,
  options: CallOptions,
): Promise<Outcome<T>[]> {
  const rounds: Rounds<LedPartition<I>, T> = {
    operation,
    keyOf: ({ topic, partition }) => partitionKey(topic, partition),
    describe: ({ topic, partition }) => `partition ${topic}-${partition}`,
    locate: (all, deadline, again) => locateLeaders(cluster, all, deadline, again),
    ask,
  }
  const unlocated = items.map((item) => ({ ...item, leaderEpoch: -1 }))
  return await askInRounds(cluster, unlocated, rounds, options)
}

async function locateLeaders<I extends TopicPartition>(
  cluster: KafkaCluster,
  items: LedPartition<I>[],
  deadline: Deadline,
  again: LedPartition<I>[],
): Promise<Located<LedPartition<I>>> {
  const stale = new Set(again.map(({ topic }) => topic))
  for (const { topic, partition } of items) if (!cluster.cache.topic(topic)?.partitions[partition]) stale.add(topic)
  if (stale.size > 0) await cluster.refresh([...stale], deadline)
  const located: Located<LedPartition<I>> = { nodes: new Map(), failed: [] }
  for (const item of items) {
    const topic = cluster.cache.topic(item.topic)
    const found = topic?.partitions[item.partition]
    if (!found) {
      // Metadata was asked for a moment ago: what it does not know is not there.
      const code = cluster.cache.topicError(item.topic) || kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
      located.failed.push({ item, errorCode: code, final: code === kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION })
    } else if (found.leader < 0) {
      located.failed.push({ item, errorCode: kafkaErrors.LEADER_NOT_AVAILABLE })
    } else {
      const led = { ...item, leaderEpoch: found.leaderEpoch }
      const others = located.nodes.get(found.leader)
      if (others) others.push(led)
      else located.nodes.set(found.leader, [led])
    }
  }
  return located
}

/** Rounds over consumer groups, each asked at its coordinator. */
export async function askCoordinators<I extends { group: string }, T>(
  cluster: KafkaCluster,
  items: readonly I[],
  operation: string,
  ask: (connection: KafkaConnection, items: I[]) => Promise<Reply<T>[]>,
  options: CallOptions,
): Promise<Outcome<T>[]> {
  const byGroup = new Map(items.map((item) => [item.group, item]))
  const rounds: Rounds<I, T> = {
    operation,
    keyOf: ({ group }) => group,
    describe: ({ group }) => `group ${group}`,
    locate: async (all, deadline, again) => {
      cluster.forgetCoordinators(again.map(({ group }) => group))
      const { nodes, failed } = await cluster.coordinators(
        all.map(({ group }) => group),
        deadline,
      )
      const itemOf = (group: string) => byGroup.get(group) as I
      return {
        nodes: new Map([...nodes].map(([nodeId, groups]) => [nodeId, groups.map(itemOf)])),
        failed: failed.map(({ group, errorCode, message }) => ({ item: itemOf(group), errorCode, message })),
      }
    },
    ask,
  }
  return await askInRounds(cluster, items, rounds, options)
}

/** The controller knows every topic; a broker that has not heard of one yet is another matter. */
const controllerFinal: ReadonlySet<number> = new Set([kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION])

/** Rounds over anything that has a name, asked at the controller. */
export async function askController<I extends { name: string }, T>(
  cluster: KafkaCluster,
  items: readonly I[],
  about: { operation: string; kind: string },
  ask: (connection: KafkaConnection, items: I[]) => Promise<Reply<T>[]>,
  options: CallOptions,
): Promise<Outcome<T>[]> {
  const rounds: Rounds<I, T> = {
    operation: about.operation,
    keyOf: ({ name }) => name,
    describe: ({ name }) => `${about.kind} ${name}`,
    finalCodes: controllerFinal,
    locate: async (all, deadline, again) => {
      if (again.length > 0) await cluster.refresh([], deadline)
      return { nodes: new Map([[controllerNode, all]]), failed: [] }
    },
    ask,
  }
  return await askInRounds(cluster, items, rounds, options)
}

/** Kafka's requests nest partitions in topics. */
export function groupByTopic<I extends TopicPartition>(items: readonly I[]): { topic: string; items: I[] }[] {
  const groups = Map.groupBy(items, ({ topic }) => topic)
  return [...groups].map(([topic, ofTopic]) => ({ topic, items: ofTopic }))
}
