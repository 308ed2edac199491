import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import { type EntityType, entityTypes, isEntityType } from '../../../contract/entities.ts'
import type { PermissionInfo } from '../../../contract/v1.ts'
import { openContext } from '../../context.ts'
import { parseRemote } from '../../names.ts'
import { chosenColumns } from '../../render/columns.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printList } from '../../render/list.ts'

interface Row {
  type: string
  url: string
  entitlements: string[]
}

interface Options extends FormatOptions {
  columns?: string
  maxEntitlements: string
}

const columns: Column<Row>[] = [
  { header: 'ENTITY TYPE', letter: 't', cell: ({ type }) => type },
  { header: 'URL', letter: 'u', cell: ({ url }) => url },
  { header: 'ENTITLEMENTS ==> (GROUPS)', letter: 'e', cell: ({ entitlements }) => entitlements },
]

export function define(command: Command): void {
  addListFormat(command)
    .usage('[<remote>:] [entity_type=<type>] [options]')
    .argument('[words...]', 'entity_type=<type>: only those of one type')
    .option('-c, --columns <letters>', 'which columns: t entity type, u URL, e entitlements')
    .option('--max-entitlements <count>', 'how many that nobody holds are shown; 0 for all of them', '3')
    .addHelpText('after', `\nEntity types: ${entityTypes.join(', ')}`)
    .action(async (words: string[], options: Options) => {
      const { remote, type } = parseWords(words)
      const most = countOf(options.maxEntitlements)
      const chosen = chosenColumns(columns, options.columns)
      await using context = openContext(command, remote)
      const permissions = await context.client.permissions.listWithGroups(type)
      const csv = options.format === 'csv'
      await printList(context, options, { columns: chosen, rows: rowsOf(permissions, most, csv), raw: permissions })
    })
}

function parseWords(words: readonly string[]): { remote: string | undefined; type: EntityType | undefined } {
  const [remote, ...others] = words.filter((word) => !word.includes('='))
  if (others.length > 0) throw new LinkspanError('usage', `Expected entity_type=<type>, got "${others[0]}"`)
  const pairs = new Map(
    words.filter((word) => word.includes('=')).map((word) => word.split('=', 2) as [string, string]),
  )
  for (const name of pairs.keys()) {
    if (name !== 'entity_type' && name !== 'project') {
      throw new LinkspanError('usage', `Expected entity_type=<type>, got "${name}=${pairs.get(name)}"`)
    }
  }
  const type = pairs.get('entity_type')
  if (type === undefined || isEntityType(type)) return { remote: parseRemote(remote), type }
  throw new LinkspanError('usage', `There is no entity type "${type}": choose among ${entityTypes.join(', ')}`)
}

function countOf(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text) || Number.POSITIVE_INFINITY
  throw new LinkspanError('usage', `Expected --max-entitlements to be a number, got "${text}"`)
}

/** One row for each entity: what is held first, then as much of the rest as is wanted. */
function rowsOf(permissions: readonly PermissionInfo[], most: number, csv: boolean): Row[] {
  const byUrl = Map.groupBy(permissions, ({ url }) => url)
  return [...byUrl].map(([url, ofUrl]) => {
    const held = ofUrl.filter(({ groups }) => groups && groups.length > 0)
    const others = ofUrl.filter((permission) => !held.includes(permission)).map(({ entitlement }) => entitlement)
    const shown = others.sort().slice(0, most)
    const entitlements = [
      ...held.map(({ entitlement, groups }) => heldText(entitlement, groups ?? [], csv)),
      ...(shown.length < others.length ? [...shown, '...'] : shown),
    ]
    return { type: ofUrl[0]!.entity_type, url, entitlements }
  })
}

function heldText(entitlement: string, groups: readonly string[], csv: boolean): string {
  return csv ? `${entitlement}:(${groups.join(',')})` : `${entitlement} ==> (${groups.join(', ')})`
}
