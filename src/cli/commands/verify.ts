import type { Command } from 'commander'
import { LinkspanError } from '../../base/errors.ts'
import type { Operation } from '../../contract/v1.ts'
import { type Context, openContext } from '../context.ts'
import { lastSegment } from '../locations.ts'
import { parseNames } from '../names.ts'
import { followOperation } from '../operations.ts'
import { type PartitionProof, summarise, type TopicProof, verdict } from '../proof.ts'
import { addListFormat, type FormatOptions, formatOf } from '../render/format.ts'
import { type Column, printList } from '../render/list.ts'
import type { Cell } from '../render/table.ts'

interface Row {
  topic: string
  proof: PartitionProof
}

const digestCharacters = 16

const columns: Column<Row>[] = [
  { header: 'TOPIC', cell: ({ topic }) => topic },
  { header: 'PARTITION', cell: ({ proof }) => proof.partition },
  { header: 'START', cell: ({ proof }) => bothSides(proof.start) },
  { header: 'END', cell: ({ proof }) => bothSides(proof.end) },
  { header: 'RECORDS', cell: ({ proof }) => proof.records },
  { header: 'CONTENT', cell: ({ proof }) => contentOf(proof) },
  { header: 'DIGEST', cell: ({ proof }) => proof.digest.destination.slice(0, digestCharacters) },
]

interface Options extends FormatOptions {
  link?: string
}

export function define(command: Command): void {
  addListFormat(command)
    .argument('[mirror-topics...]', 'the mirror topics; all of them when none is named')
    .option('--link <link>', 'the link that they come over')
    .addHelpText('after', help)
    .action(async (texts: string[], options: Options) => {
      const { remote, names: topics } = parseNames(texts)
      await using context = openContext(command, remote)
      await verify(context, topics, options)
    })
}

const help = `
Both sides are read over the range that both have, and compared record for record. Of each partition start, end and
content are judged apart: a mirror that lags behind is not different. The exit code is 5 when a difference was found.`

async function verify(context: Context, topics: readonly string[], options: Options): Promise<void> {
  const proofs: TopicProof[] = []
  for (const [link, ofLink] of await findMirrors(context, topics, options.link)) {
    const id = await startVerification(context, link, ofLink)
    proofs.push(...proofsOf(await followOperation(context, id, { describe: progressText })))
  }
  const rows = proofs.flatMap(({ topic, partitions }) => partitions.map((proof): Row => ({ topic, proof })))
  const summary = summarise(proofs)
  await printList(context, options, { columns, rows, raw: proofs })
  const format = formatOf(options, 'table')
  if (format !== 'json' && format !== 'yaml' && format !== 'csv') context.say(verdict(summary))
  if (summary.differences.length === 0) return
  throw new LinkspanError('difference', 'The mirror is not equal to its source')
}

/** Which links carry the topics. Throws `not-found` for a topic that is no mirror. */
async function findMirrors(
  { client }: Context,
  topics: readonly string[],
  link: string | undefined,
): Promise<Map<string, string[]>> {
  const mirrors = await client.kafka.mirrors.list(link === undefined ? {} : { link })
  const wanted = topics.length === 0 ? mirrors.map(({ mirror_topic_name }) => mirror_topic_name) : [...new Set(topics)]
  if (wanted.length === 0) throw new LinkspanError('not-found', 'There is no mirror topic to verify')
  const found = wanted.map((topic) => {
    const mirror = mirrors.find(({ mirror_topic_name }) => mirror_topic_name === topic)
    if (mirror) return { topic, link: mirror.link_name }
    const place = link === undefined ? '' : ` on link "${link}"`
    throw new LinkspanError('not-found', `There is no mirror topic "${topic}"${place}`)
  })
  const byLink = Map.groupBy(found, (each) => each.link)
  return new Map([...byLink].map(([name, ofLink]) => [name, ofLink.map(({ topic }) => topic).sort()]))
}

/** The id of the operation that compares. */
async function startVerification({ client }: Context, link: string, topics: readonly string[]): Promise<string> {
  const path = `/links/${encodeURIComponent(link)}/mirrors:verify`
  const body = { mirror_topic_names: topics }
  const { operation } = await client.v3.ofCluster<{ operation: string }>('POST', path, { body })
  return lastSegment(operation)
}

function proofsOf({ metadata }: Operation): TopicProof[] {
  return (metadata?.proofs ?? []) as TopicProof[]
}

interface VerifyProgress {
  topic?: string
  partition?: number
  partitions?: number
  offset?: number
  from?: number
  to?: number
}

function progressText({ description, metadata }: Operation): string {
  const {
    topic = '',
    partition,
    partitions = 0,
    offset = 0,
    from = 0,
    to = 0,
  } = (metadata?.progress ?? {}) as VerifyProgress
  if (partition === undefined) return description
  const share = to > from ? Math.floor((100 * (offset - from)) / (to - from)) : 100
  return `Comparing ${topic} partition ${partition + 1} of ${partitions}: ${share} %`
}

function bothSides({ source, destination, equal }: PartitionProof['start']): Cell {
  return equal ? destination : [`source ${source}`, `mirror ${destination}`]
}

function contentOf({ equal, firstDifference, compactedAway }: PartitionProof): Cell {
  if (!equal) {
    const { offset, what } = firstDifference ?? { offset: '?', what: 'the digests differ' }
    return [`DIFFERENT at ${offset}:`, what]
  }
  return compactedAway > 0 ? ['equal', `${compactedAway} compacted away`] : 'equal'
}
