import type { Codec } from '../kafka/kcat.ts'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

export const clientNames = ['kcat', 'kafkajs', 'platformatic', 'java', 'librdkafka', 'franz-go'] as const
export type ClientName = (typeof clientNames)[number]

/** Headers in their order. */
export interface WrittenRecord {
  key?: string | null
  value: string | null
  headers?: [name: string, value: string][]
  timestampMs?: number
}

/** What a client is told to do, in the words of no client. Topics and groups are short names of the check. */
export type ClientStep =
  | { do: 'createTopic'; topic: string; partitions?: number; replicas?: number; configs?: Record<string, string> }
  | { do: 'deleteTopic'; topic: string }
  /** Answers leader, replicas and those in sync of each partition. */
  | { do: 'describeTopic'; topic: string }
  /** Answers value and source of each config: of `names`, or else of all except `without`. */
  | { do: 'describeConfigs'; topic: string; names?: string[]; without?: string[] }
  | { do: 'alterConfigs'; topic: string; set?: Record<string, string>; unset?: string[] }
  | { do: 'addPartitions'; topic: string; total: number }
  /** Answers an offset for each partition, −1 where there is none. */
  | { do: 'listOffsets'; topic: string; partitions: number; at: OffsetsAt }
  | { do: 'deleteRecords'; topic: string; partition: number; before: number }
  | ProduceStep
  | ConsumeStep
  /** Answers the state, how many members there are, and their partitions (sorted, one list for each member). */
  | { do: 'describeGroup'; group: string }
  /** Answers whether the group is among them. */
  | { do: 'listGroups'; group: string }
  /** Answers the committed offset of each partition. */
  | { do: 'committed'; group: string; topic: string; partitions: number }
  | { do: 'commit'; group: string; topic: string; offsets: Record<string, number> }
  | { do: 'deleteGroup'; group: string }
  | { do: 'deleteOffsets'; group: string; topic: string; partition: number }
  /** Answers what the broker remembers of producers: the last sequence of each. */
  | { do: 'producers'; topic: string; partition: number }
  /** Answers how many bytes the log of a partition has. */
  | { do: 'logBytes'; topic: string; partition: number }
  /** Writes within a transaction and commits it. */
  | { do: 'transact'; topic: string; transactionalId: string; value: string }
  | { do: 'createAcl'; topic: string; principal: string }
  /** Kafka's tools that measure, of Java only; both answer how many records went through. */
  | { do: 'producePerformance'; topic: string; records: number; recordBytes: number; idempotent: boolean }
  | { do: 'consumePerformance'; topic: string; records: number }

/** `maxTimestamp`: the newest record, wherever it stands. */
export type OffsetsAt = 'earliest' | 'latest' | 'maxTimestamp' | number

export interface ProduceStep {
  do: 'produce'
  topic: string
  partition: number
  records: WrittenRecord[]
  codec?: Codec
  acks?: 0 | 1 | 'all'
  idempotent?: boolean
}

/** Reads `count` records, of one partition or of all; answers them by partition and offset. */
export interface ConsumeStep {
  do: 'consume'
  topic: string
  partition?: number
  from: 'earliest' | number
  count: number
  /** What the client does when `from` lies outside of the log. */
  reset?: 'earliest' | 'latest' | 'none'
  /** Of one fetch of a partition: smaller than a batch, so that the broker has to answer with a batch all the same. */
  fetchBytes?: number
}

export interface JoinStep {
  do: 'join'
  member: string
  group: string
  topic: string
  assignor?: 'cooperative-sticky'
  protocol?: 'consumer'
  instanceId?: string
  sessionTimeoutMs?: number
}

/** What is done with members of a group, each of which goes on by itself meanwhile. */
export type MemberStep =
  | JoinStep
  /** Waits until the members have so many partitions each; answers whose they are together. */
  | { do: 'assigned'; sizes: Record<string, number> }
  /** Waits until the members together have seen so many different records of the topic; answers which. */
  | { do: 'seen'; members: string[]; count: number }
  | { do: 'leave'; member: string }
  /** Ends it without a word to anybody, where a client can. */
  | { do: 'kill'; member: string }

/** What is seen from outside, by our own client: the batches as they are stored. */
export type WitnessStep = { do: 'batches'; topic: string; partition: number }

export interface StepNotes {
  /** The client, where the check does not say it already. */
  by?: ClientName
  /** Checked against both brokers, without the error's message. */
  expect?: Json
  /** An honest limit of the embedded broker: what it answers instead, and why. */
  embedded?: { answer: Json; because: string }
}

export type SingleStep = (ClientStep | MemberStep | WitnessStep) & StepNotes
export interface StepList {
  do: 'together' | 'inOrder'
  steps: Step[]
}
export type Step = SingleStep | StepList

/** One row of the table, run for each of its clients by itself. */
export interface Check {
  name: string
  clients: readonly ClientName[]
  steps: (client: ClientName) => Step[]
}

/** A row that all of its clients run together, those that can be had. */
export interface SharedCheck {
  name: string
  clients: readonly ClientName[]
  steps: (clients: readonly ClientName[]) => Step[]
}
