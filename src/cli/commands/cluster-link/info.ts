import type { Command } from 'commander'
import type { ClusterLink, ClusterLinkState } from '../../../contract/v1.ts'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { addShowFormat, type FormatOptions, formatOf } from '../../render/format.ts'
import { printObject } from '../../render/list.ts'
import { boxedTable, type Cell } from '../../render/table.ts'
import { escapeControls } from '../../render/text.ts'

export function define(command: Command): void {
  addShowFormat(command)
    .argument('<name>', 'the link')
    .action(async (name: string, options: FormatOptions) => {
      const { remote, name: link } = parseName(name, 'link')
      await using context = openContext(command, remote)
      const [{ value }, state] = await Promise.all([
        context.client.clusterLinks.get(link),
        context.client.clusterLinks.state(link),
      ])
      if (formatOf(options, 'human') !== 'human') return printObject(context, options, { ...value, ...state })
      context.print(infoText(value, state))
    })
}

function infoText(
  { name, description, type }: ClusterLink,
  { cluster_link_members: members }: ClusterLinkState,
): string {
  const lines = [`Name: ${name}`]
  if (description !== '') lines.push(`Description: ${description}`)
  lines.push(`Type: ${type.toUpperCase()}`, 'Cluster link members:')
  const withReasons = members.some(({ reason }) => reason)
  const headers = ['ADDRESS', 'NAME', 'STATE', ...(withReasons ? ['REASON'] : [])]
  const rows = members.map(({ address, server_name, status, reason }): Cell[] => {
    return [address, server_name, status.toUpperCase(), ...(withReasons ? [reason ?? ''] : [])]
  })
  return [...lines.map((line) => escapeControls(line)), boxedTable(headers, rows)].join('\n')
}
