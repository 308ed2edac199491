import type { Command } from 'commander'
import type { ClusterLink, ClusterLinkState } from '../../../contract/v1.ts'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { addShowFormat, type FormatOptions, formatOf } from '../../render/format.ts'
import { printObject } from '../../render/list.ts'
import { boxedTable } from '../../render/table.ts'
import { escapeControls, shortTime } from '../../render/text.ts'

export function define(command: Command): void {
  addShowFormat(command)
    .argument('<link>', 'the link')
    .option('--target <member>', 'the member of this cluster that is to look; there is only one so far')
    .action(async (name: string, options: FormatOptions & { target?: string }) => {
      const { remote, name: link } = parseName(name, 'link')
      await using context = openContext(command, remote)
      const [{ value }, state] = await Promise.all([
        context.client.clusterLinks.get(link),
        context.client.clusterLinks.state(link, options),
      ])
      if (formatOf(options, 'human') !== 'human') return printObject(context, options, { ...value, ...state })
      context.print(infoText(value, state))
    })
}

type Member = ClusterLinkState['cluster_link_members'][number]

/** LXD's three, and ours as far as there is something in them. */
const memberColumns: { header: string; always?: boolean; cell: (member: Member) => string }[] = [
  { header: 'ADDRESS', always: true, cell: ({ address }) => address },
  { header: 'NAME', always: true, cell: ({ server_name }) => server_name },
  { header: 'STATE', always: true, cell: ({ status }) => status.toUpperCase() },
  { header: 'REASON', cell: ({ reason }) => reason ?? '' },
  { header: 'LAST SEEN', cell: ({ last_seen_at }) => shortTime(last_seen_at ?? '') },
  { header: 'ROUND TRIP', cell: ({ round_trip_ms: ms }) => (ms === undefined ? '' : `${ms.toFixed(1)} ms`) },
]

function infoText(
  { name, description, type }: ClusterLink,
  { cluster_link_members: members }: ClusterLinkState,
): string {
  const lines = [`Name: ${name}`]
  if (description !== '') lines.push(`Description: ${description}`)
  lines.push(`Type: ${type.toUpperCase()}`, 'Cluster link members:')
  const columns = memberColumns.filter(({ always, cell }) => always || members.some((member) => cell(member) !== ''))
  const headers = columns.map(({ header }) => header)
  const rows = members.map((member) => columns.map(({ cell }) => cell(member)))
  return [...lines.map((line) => escapeControls(line)), boxedTable(headers, rows)].join('\n')
}
