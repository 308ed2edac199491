import type { Command } from 'commander'
import { openContext } from '../context.ts'
import { addListFormat, type FormatOptions } from '../render/format.ts'
import { type Column, printList } from '../render/list.ts'
import type { Cell } from '../render/table.ts'

type Item = Record<string, unknown>

const path = '/1.0/footprint'

export function define(command: Command): void {
  addListFormat(command).action(async (options: FormatOptions) => {
    await using context = openContext(command)
    const items = await context.client.v1.list<Item>(path)
    const names = [...new Set(items.flatMap((item) => Object.keys(item)))]
    const columns = names.map((name): Column<Item> => ({ header: titleOf(name), cell: (item) => cellOf(item[name]) }))
    if (items.length === 0) context.note('Nothing of this Kafka cluster was changed.')
    await printList(context, options, { columns, rows: items })
  })
}

function titleOf(name: string): string {
  return name.replaceAll('_', ' ').toUpperCase()
}

function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)))
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
