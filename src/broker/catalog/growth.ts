import { assignmentProblem, partitionsRefusal } from './creation.ts'
import { done, type Outcome, refused } from './outcome.ts'
import type { Topic } from './types.ts'

export interface WantedGrowth {
  readonly name: string
  /** The new total. */
  readonly count: number
  /** Of the new partitions, by hand; null: the broker chooses. */
  readonly assignments: readonly { readonly brokerIds: readonly number[] }[] | null
}

export interface GrowthFacts {
  nodeId: number
  partitionsMax: number
  partitionsLeft: number
}

/** The topic as it will be, judged in the order of Kafka's controller. */
export function judgeGrowth(topic: Topic | undefined, wanted: WantedGrowth, facts: GrowthFacts): Outcome<Topic> {
  const { name, count, assignments } = wanted
  if (!topic) return refused('UNKNOWN_TOPIC_OR_PARTITION', `The topic '${name}' does not exist.`)
  const { partitions } = topic
  if (count === partitions) return refused('INVALID_PARTITIONS', `Topic already has ${partitions} partition(s).`)
  if (count < partitions) {
    const text = `The topic ${name} currently has ${partitions} partition(s); ${count} would not be an increase.`
    return refused('INVALID_PARTITIONS', text)
  }
  const added = count - partitions
  if (assignments !== null && assignments.length !== added) {
    const text = `Attempted to add ${added} additional partition(s), but only ${assignments.length} assignment(s)`
    return refused('INVALID_REPLICA_ASSIGNMENT', `${text} were specified.`)
  }
  for (const { brokerIds } of assignments ?? []) {
    const problem = assignmentProblem(brokerIds, facts.nodeId)
    if (problem) return refused('INVALID_REPLICA_ASSIGNMENT', problem)
  }
  return partitionsRefusal(count, added, facts) ?? done({ ...topic, partitions: count })
}
