import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import type { KafkaMirror, MirrorStatus } from '../../../contract/kafka-v3.ts'
import { openContext } from '../../context.ts'
import { parseRemote } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printRecords } from '../../render/list.ts'

interface Row {
  link_name: string
  mirror_topic_name: string
  source_topic_name: string
  mirror_status: string
  status_time_ms: number
  num_partition: number
  max_per_partition_mirror_lag: number
  max_per_partition_mirror_lag_ms: number
}

const columns: Column<Row>[] = [
  { header: 'Link Name', cell: ({ link_name }) => link_name },
  { header: 'Mirror Topic Name', cell: ({ mirror_topic_name }) => mirror_topic_name },
  { header: 'Source Topic Name', cell: ({ source_topic_name }) => source_topic_name },
  { header: 'Mirror Status', cell: ({ mirror_status }) => mirror_status },
  { header: 'Status Time (ms)', cell: ({ status_time_ms }) => status_time_ms },
  { header: 'Num Partition', cell: ({ num_partition }) => num_partition },
  { header: 'Max Per Partition Mirror Lag', cell: ({ max_per_partition_mirror_lag }) => max_per_partition_mirror_lag },
  { header: 'Max Lag Time (ms)', cell: ({ max_per_partition_mirror_lag_ms }) => max_per_partition_mirror_lag_ms },
]

/** As the API knows them; a list of types alone would not check them. */
const statuses: Record<MirrorStatus, true> = {
  ACTIVE: true,
  FAILED: true,
  LINK_FAILED: true,
  LINK_PAUSED: true,
  PAUSED: true,
  PENDING_STOPPED: true,
  SOURCE_UNAVAILABLE: true,
  STOPPED: true,
  PENDING_MIRROR: true,
  PENDING_SYNCHRONIZE: true,
  PENDING_SETUP_FOR_RESTORE: true,
  PENDING_RESTORE: true,
}

interface Options extends FormatOptions {
  link?: string
  mirrorStatus?: MirrorStatus
}

export function define(command: Command): void {
  addListFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .option('--link <link>', 'only those of one link')
    .option('--mirror-status <status>', 'only those in one state, such as active or failed', parseStatus)
    .action(async (remote: string | undefined, options: Options) => {
      await using context = openContext(command, parseRemote(remote))
      const { link, mirrorStatus: status } = options
      const mirrors = await context.client.kafka.mirrors.list({
        ...(link === undefined ? {} : { link }),
        ...(status === undefined ? {} : { status }),
      })
      await printRecords(context, options, { columns, rows: mirrors.map(rowOf).toSorted(byLinkAndTopic) })
    })
}

function parseStatus(text: string): MirrorStatus {
  const status = text.toUpperCase()
  if (Object.hasOwn(statuses, status)) return status as MirrorStatus
  const known = Object.keys(statuses).join(', ').toLowerCase()
  throw new LinkspanError('usage', `There is no mirror status "${text}": choose among ${known}`)
}

function rowOf(mirror: KafkaMirror): Row {
  const { link_name, mirror_topic_name, source_topic_name, mirror_status, state_time_ms, num_partitions } = mirror
  const lags = mirror.mirror_lags ?? []
  return {
    link_name,
    mirror_topic_name,
    source_topic_name,
    mirror_status,
    status_time_ms: state_time_ms,
    num_partition: num_partitions,
    max_per_partition_mirror_lag: maxOf(lags.map(({ lag }) => lag)),
    max_per_partition_mirror_lag_ms: maxOf(lags.map(({ lag_ms = -1 }) => lag_ms)),
  }
}

function maxOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : Math.max(...values)
}

function byLinkAndTopic(one: Row, other: Row): number {
  const [first, second] = [one, other].map((row) => `${row.link_name}\0${row.mirror_topic_name}`) as [string, string]
  return first < second ? -1 : 1
}
