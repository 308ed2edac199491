import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import type { AlteredMirror, MirrorVerb } from '../../../contract/kafka-v3.ts'
import { type Context, openContext } from '../../context.ts'
import { parseNames } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printRecords } from '../../render/list.ts'
import { waitForEnd } from './mirror-wait.ts'

interface Row {
  mirror_topic_name: string
  partition: number
  partition_mirror_lag: number
  last_source_fetch_offset: number
  error_message: string
  error_code: string
}

const columns: Column<Row>[] = [
  { header: 'Mirror Topic Name', cell: ({ mirror_topic_name }) => mirror_topic_name },
  { header: 'Partition', cell: ({ partition }) => partition },
  { header: 'Partition Mirror Lag', cell: ({ partition_mirror_lag }) => partition_mirror_lag },
  { header: 'Last Source Fetch Offset', cell: ({ last_source_fetch_offset }) => last_source_fetch_offset },
  { header: 'Error Message', cell: ({ error_message }) => error_message },
  { header: 'Error Code', cell: ({ error_code }) => error_code },
]

interface Options extends FormatOptions {
  link: string
  all?: boolean
  dryRun?: boolean
  wait?: boolean
  fenceSource?: boolean
}

export interface Verb {
  name: MirrorVerb & ('promote' | 'failover' | 'pause' | 'resume' | 'unfence-source')
  /** The state that `--wait` waits for; without it there is nothing to wait for. */
  until?: 'ACTIVE' | 'PAUSED' | 'STOPPED'
  help: string
}

export function defineVerb(command: Command, verb: Verb): void {
  addListFormat(command)
    .argument('[mirror-topics...]', 'the mirror topics')
    .requiredOption('--link <link>', 'the link that they come over')
    .option('--all', 'all mirror topics of the link')
    .option('--dry-run', 'check everything, change nothing')
  if (verb.until) command.option('--wait', 'wait until it is done')
  if (verb.name === 'promote') command.option('--fence-source', "deny the source's writers, where rights allow")
  command
    .addHelpText(
      'after',
      `\n${verb.help}\nThe exit code is 1 when it failed for any of the topics; the others are done.`,
    )
    .action(async (texts: string[], options: Options) => {
      const { remote, names: topics } = parseNames(texts)
      checkTopics(topics, options)
      await using context = openContext(command, remote)
      await alter(context, verb, options.all ? await topicsOf(context, options.link) : topics, options)
    })
}

function checkTopics(topics: readonly string[], { all }: Options): void {
  if (topics.length > 0 && all) throw new LinkspanError('usage', 'Name topics or give --all, not both')
  if (topics.length === 0 && !all) throw new LinkspanError('usage', 'Name the mirror topics, or give --all')
}

async function topicsOf({ client }: Context, link: string): Promise<string[]> {
  const mirrors = await client.kafka.mirrors.list({ link })
  const live = mirrors.filter(({ mirror_status }) => mirror_status !== 'STOPPED')
  return live.map(({ mirror_topic_name }) => mirror_topic_name).sort()
}

async function alter(context: Context, verb: Verb, topics: string[], options: Options): Promise<void> {
  const { link, dryRun: validateOnly = false, wait, fenceSource = false } = options
  if (topics.length === 0) return printRecords(context, options, { columns, rows: [] })
  const altered = await context.client.kafka.mirrors.alter(verb.name, link, topics, { validateOnly, fenceSource })
  await printRecords(context, options, { columns, rows: altered.flatMap(rowsOf) })
  const failed = altered.filter(hasFailed).map(({ mirror_topic_name }) => mirror_topic_name)
  if (wait && verb.until && !validateOnly) {
    const accepted = altered.filter((item) => !hasFailed(item)).map(({ mirror_topic_name }) => mirror_topic_name)
    await waitForEnd(context, { link, topics: accepted, until: verb.until })
  }
  if (failed.length > 0) {
    throw new LinkspanError('state-conflict', `Could not ${verb.name} ${failed.join(', ')}: see the messages above`)
  }
}

function hasFailed({ error_code, error_message }: AlteredMirror): boolean {
  return error_code !== null || error_message !== null
}

function rowsOf(item: AlteredMirror): Row[] {
  const { mirror_topic_name, error_message, error_code } = item
  const shared = { mirror_topic_name, error_message: error_message ?? '', error_code: String(error_code ?? '') }
  if (hasFailed(item)) {
    return [{ ...shared, partition: -1, partition_mirror_lag: -1, last_source_fetch_offset: -1 }]
  }
  return (item.mirror_lags ?? []).map(({ partition, lag, last_source_fetch_offset }) => {
    return { ...shared, partition, partition_mirror_lag: lag, last_source_fetch_offset }
  })
}
