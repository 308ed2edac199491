import type { Format } from '../render/format.ts'
import { barredTable, boxedTable, type Cell, compactTable } from '../render/table.ts'
import { escapeControls } from '../render/text.ts'
import type { StatusReport } from './gather.ts'

export function statusText({ server, links, mirrors, problems }: StatusReport, format: Format): string {
  const table = format === 'compact' ? compactTable : format === 'human' ? barredTable : boxedTable
  const linkRows = links.map(({ name, type, state, addresses }): Cell[] => [name, type.toUpperCase(), state, addresses])
  const mirrorRows = mirrors.map(({ link, topic, status, partitions, lag }): Cell[] => {
    return [link, topic, status, partitions, lag]
  })
  return [
    `Server: ${server.name} (Linkspan ${server.version})`,
    `Address: ${server.addresses.join(', ') || 'none'}`,
    `Fingerprint: ${server.fingerprint}`,
    `Kafka cluster: ${server.kafka_cluster_id ?? 'not reached yet'}`,
    '',
    links.length === 0 ? 'No cluster links.' : 'Cluster links:',
    ...(links.length === 0 ? [] : [table(['NAME', 'TYPE', 'STATE', 'ADDRESSES'], linkRows)]),
    '',
    mirrors.length === 0 ? 'No mirror topics.' : 'Mirror topics:',
    ...(mirrors.length === 0 ? [] : [table(['LINK', 'TOPIC', 'STATUS', 'PARTITIONS', 'LAG'], mirrorRows)]),
    '',
    ...problemLines(problems),
  ]
    .map((block) => escapeControls(block, '\n'))
    .join('\n')
}

function problemLines(problems: readonly string[]): string[] {
  if (problems.length === 0) return ['All is well.']
  return ['Problems:', ...problems.map((problem) => `- ${escapeControls(problem)}`)]
}
