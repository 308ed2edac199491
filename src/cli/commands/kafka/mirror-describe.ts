import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printRecords } from '../../render/list.ts'

interface Row {
  link_name: string
  mirror_topic_name: string
  source_topic_name: string
  mirror_status: string
  mirror_topic_error: string
  status_time_ms: number
  partition: number
  partition_mirror_lag: number
  partition_mirror_lag_ms: number
  last_source_fetch_offset: number
}

const columns: Column<Row>[] = [
  { header: 'Link Name', cell: ({ link_name }) => link_name },
  { header: 'Mirror Topic Name', cell: ({ mirror_topic_name }) => mirror_topic_name },
  { header: 'Source Topic Name', cell: ({ source_topic_name }) => source_topic_name },
  { header: 'Mirror Status', cell: ({ mirror_status }) => mirror_status },
  { header: 'Mirror Topic Error', cell: ({ mirror_topic_error }) => mirror_topic_error },
  { header: 'Status Time (ms)', cell: ({ status_time_ms }) => status_time_ms },
  { header: 'Partition', cell: ({ partition }) => partition },
  { header: 'Partition Mirror Lag', cell: ({ partition_mirror_lag }) => partition_mirror_lag },
  { header: 'Last Source Fetch Offset', cell: ({ last_source_fetch_offset }) => last_source_fetch_offset },
  { header: 'Lag Time (ms)', cell: ({ partition_mirror_lag_ms }) => partition_mirror_lag_ms },
]

interface Options extends FormatOptions {
  link: string
}

export function define(command: Command): void {
  addListFormat(command)
    .argument('<mirror-topic>', 'the mirror topic')
    .requiredOption('--link <link>', 'the link that it comes over')
    .action(async (text: string, options: Options) => {
      const { remote, name: topic } = parseName(text, 'mirror topic')
      await using context = openContext(command, remote)
      const mirror = await context.client.kafka.mirrors.get(options.link, topic)
      const { link_name, mirror_topic_name, source_topic_name, mirror_status, mirror_topic_error } = mirror
      const rows = (mirror.mirror_lags ?? []).map(({ partition, lag, lag_ms = -1, last_source_fetch_offset }): Row => {
        return {
          link_name,
          mirror_topic_name,
          source_topic_name,
          mirror_status,
          mirror_topic_error,
          status_time_ms: mirror.state_time_ms,
          partition,
          partition_mirror_lag: lag,
          partition_mirror_lag_ms: lag_ms,
          last_source_fetch_offset,
        }
      })
      await printRecords(context, options, { columns, rows })
    })
}
