import { defineTable, type Table } from '../../store/table.ts'

/**
 * One topic, by its id. `creating` and `deleting` are intents: the next start takes away what they left. `growingTo` is
 * one, too: the next start makes the logs that are missing.
 */
export interface TopicRow {
  state: 'creating' | 'ready' | 'deleting'
  name: string
  partitions: number
  growingTo: number | null
  configs: Record<string, string>
  mirrorId: string | null
}

export const topicTable = defineTable<TopicRow>('broker-topic', 1)

/** Under `producerIdKey`: the first producer id that no block has taken yet, in decimal. */
export interface ProducerIdRow {
  next: string
}

export const producerIdTable = defineTable<ProducerIdRow>('broker-producer-id', 1)
export const producerIdKey = 'next'

/** Of this part of the broker, for `openStore`. */
export const catalogTables: readonly Table<object>[] = [topicTable, producerIdTable]
