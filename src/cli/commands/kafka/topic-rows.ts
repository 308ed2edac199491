import type { KafkaTopic } from '../../../contract/kafka-v3.ts'
import type { Column } from '../../render/list.ts'

export interface TopicRow {
  name: string
  is_internal: boolean
  replication_factor: number
  partition_count: number
}

export const topicColumns: Column<TopicRow>[] = [
  { header: 'Name', cell: ({ name }) => name },
  { header: 'Is Internal', cell: ({ is_internal }) => is_internal },
  { header: 'Replication Factor', cell: ({ replication_factor }) => replication_factor },
  { header: 'Partition Count', cell: ({ partition_count }) => partition_count },
]

export function topicRow({ topic_name, is_internal, replication_factor, partitions_count }: KafkaTopic): TopicRow {
  return { name: topic_name, is_internal, replication_factor, partition_count: partitions_count }
}
