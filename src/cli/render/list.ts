import type { Context } from '../context.ts'
import { csvText, jsonLine, jsonText, yamlText } from './data.ts'
import { type Format, type FormatOptions, formatOf } from './format.ts'
import { barredTable, boxedTable, type Cell, cellLines, compactTable, fieldTable } from './table.ts'

export interface Column<Row> {
  header: string
  cell: (row: Row) => Cell
  /** By which `--columns` chooses it. */
  letter?: string
}

export interface Listing<Row> {
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  /** What JSON and YAML show; the rows themselves unless told. */
  raw?: unknown
}

/** A list of LXD's dialect: sorted by its cells, JSON and YAML as the API has it. */
export async function printList<Row>(context: Context, options: FormatOptions, listing: Listing<Row>): Promise<void> {
  const format = formatOf(options, 'table')
  const { columns, raw = listing.rows } = listing
  if (format === 'json') return context.print(jsonLine(raw))
  if (format === 'yaml') return context.print(await yamlText(raw))
  const rows = sortedCells(listing.rows.map((row) => columns.map((column) => column.cell(row))))
  printCells(context, format, columns, rows)
}

/** A list of Confluent's dialect: in the given order; rows are the objects that JSON and YAML show. */
export async function printRecords<Row>(
  context: Context,
  options: FormatOptions,
  { columns, rows, raw = rows }: Listing<Row>,
): Promise<void> {
  const format = formatOf(options, 'human')
  if (format === 'json') return context.print(jsonText(raw))
  if (format === 'yaml') return context.print(await yamlText(raw))
  const cells = rows.map((row) => columns.map((column) => column.cell(row)))
  if (format !== 'human') return printCells(context, format, columns, cells)
  const headers = columns.map(({ header }) => header)
  context.print(rows.length === 0 ? 'None found.' : barredTable(headers, cells))
}

/** One object of Confluent's dialect. Empty fields are left out of the box. */
export async function printRecord<Row>(
  context: Context,
  options: FormatOptions,
  { columns, row }: { columns: readonly Column<Row>[]; row: Row },
): Promise<void> {
  const format = formatOf(options, 'human')
  if (format === 'json') return context.print(jsonText(row))
  if (format === 'yaml') return context.print(await yamlText(row))
  if (format !== 'human') return printCells(context, format, columns, [columns.map((column) => column.cell(row))])
  const fields = columns.map(({ header, cell }) => [header, cell(row)] as const)
  context.print(fieldTable(fields.filter(([, cell]) => !isEmpty(cell))))
}

/** One object of LXD's dialect, whole. */
export async function printObject(context: Context, options: FormatOptions, value: unknown): Promise<void> {
  const format = formatOf(options, 'yaml')
  context.print(format === 'json' ? jsonText(value) : await yamlText(value))
}

function printCells<Row>(
  context: Context,
  format: Format,
  columns: readonly Column<Row>[],
  rows: readonly (readonly Cell[])[],
): void {
  const headers = columns.map(({ header }) => header)
  if (format === 'compact') context.print(compactTable(headers, rows))
  else if (format !== 'csv') context.print(boxedTable(headers, rows))
  else if (rows.length > 0) context.print(csvText(rows.map((row) => row.map((cell) => cellLines(cell).join(',')))))
}

/** By every column in turn, numbers within texts by their value, empty cells last. */
function sortedCells(rows: readonly (readonly Cell[])[]): readonly (readonly Cell[])[] {
  const { compare } = new Intl.Collator('en', { numeric: true })
  const read = rows.map((row) => ({ row, texts: row.map((cell) => cellLines(cell).join('\n')) }))
  const sorted = read.toSorted((one, other) => {
    for (const [column, first] of one.texts.entries()) {
      const second = other.texts[column] ?? ''
      if (first === second) continue
      if (first === '' || second === '') return first === '' ? 1 : -1
      const order = compare(first, second)
      if (order !== 0) return order
    }
    return 0
  })
  return sorted.map(({ row }) => row)
}

function isEmpty(cell: Cell): boolean {
  return cell === null || cell === '' || (Array.isArray(cell) && cell.length === 0)
}
