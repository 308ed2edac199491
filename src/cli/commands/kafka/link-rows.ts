import type { KafkaLink } from '../../../contract/kafka-v3.ts'
import type { Column } from '../../render/list.ts'

/** By the keys of Confluent's client; what is empty is left out. */
export interface LinkRow {
  link_name: string
  link_id?: string
  topic_name?: string
  source_cluster?: string
  destination_cluster?: string
  remote_cluster?: string
  state: string
  error?: string
  error_message?: string
  mirror_partition_states_count?: string
}

export function linkRow(link: KafkaLink, topic?: string): LinkRow {
  return {
    link_name: link.link_name,
    ...filled('link_id', link.cluster_link_id),
    ...filled('topic_name', topic),
    ...filled('source_cluster', link.source_cluster_id),
    ...filled('destination_cluster', link.destination_cluster_id),
    ...filled('remote_cluster', link.remote_cluster_id),
    state: link.link_state,
    ...filled('error', link.link_error === 'NO_ERROR' ? '' : link.link_error),
    ...filled('error_message', link.link_error_message),
  }
}

function filled<Name extends keyof LinkRow>(name: Name, value: string | null | undefined): Partial<LinkRow> {
  return value ? { [name]: value } : {}
}

export const linkColumns: Column<LinkRow>[] = [
  { header: 'Name', cell: ({ link_name }) => link_name },
  { header: 'ID', cell: ({ link_id }) => link_id ?? '' },
  { header: 'Source Cluster', cell: ({ source_cluster }) => source_cluster ?? '' },
  { header: 'Destination Cluster', cell: ({ destination_cluster }) => destination_cluster ?? '' },
  { header: 'Remote Cluster', cell: ({ remote_cluster }) => remote_cluster ?? '' },
  { header: 'State', cell: ({ state }) => state },
  { header: 'Error', cell: ({ error }) => error ?? '' },
  { header: 'Error Message', cell: ({ error_message }) => error_message ?? '' },
]

export const topicColumn: Column<LinkRow> = { header: 'Topic Name', cell: ({ topic_name }) => topic_name ?? '' }

export const countsColumn: Column<LinkRow> = {
  header: 'Mirror Partition States Count',
  cell: ({ mirror_partition_states_count }) => mirror_partition_states_count ?? '',
}

export function byName(one: { link_name: string }, other: { link_name: string }): number {
  return one.link_name < other.link_name ? -1 : one.link_name > other.link_name ? 1 : 0
}
