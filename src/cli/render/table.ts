import { displayWidth, escapeControls, padBoth, padEnd } from './text.ts'

/** Several lines of one cell are an array; null is an empty cell. */
export type Cell = string | number | boolean | null | readonly string[]

/** LXD's table: a border, upper-case headers in the middle, a rule after every row. */
export function boxedTable(headers: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const grid = rows.map((row) => row.map(cellLines))
  const titles = headers.map((header) => header.toUpperCase())
  const widths = columnWidths(titles, grid)
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`
  const line = (cells: string[]) => `|${cells.map((cell) => ` ${cell} `).join('|')}|`
  const body = grid.flatMap((row) => [...rowLines(row, widths).map(line), rule])
  return [rule, line(titles.map((title, column) => padBoth(title, widths[column]!))), rule, ...body].join('\n')
}

/** LXD's compact form: the same without rules and border. */
export function compactTable(headers: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const grid = rows.map((row) => row.map(cellLines))
  const titles = headers.map((header) => header.toUpperCase())
  const widths = columnWidths(titles, grid)
  const lines = [
    titles.map((title, column) => padEnd(title, widths[column]!)),
    ...grid.flatMap((row) => rowLines(row, widths)),
  ]
  return lines.map((cells) => `  ${cells.join('  ')}`.trimEnd()).join('\n')
}

/** Confluent's list: headers in the middle, one rule below them, bars between the columns. */
export function barredTable(headers: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const grid = rows.map((row) => row.map(cellLines))
  const widths = columnWidths(headers, grid)
  const rule = widths.map((width) => '-'.repeat(width + 2)).join('+')
  const line = (cells: string[]) =>
    cells
      .map((cell) => ` ${cell} `)
      .join('|')
      .trimEnd()
  const title = line(headers.map((header, column) => padBoth(header, widths[column]!)))
  return [title, rule, ...grid.flatMap((row) => rowLines(row, widths).map(line))].join('\n')
}

/** Confluent's view of one thing: a box of names and values. */
export function fieldTable(fields: readonly (readonly [string, Cell])[]): string {
  const grid = fields.map(([name, cell]) => [[name], cellLines(cell)])
  const widths = columnWidths(['', ''], grid)
  const rule = `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`
  const lines = grid.flatMap((row) => rowLines(row, widths)).map((cells) => `| ${cells.join(' | ')} |`)
  return [rule, ...lines, rule].join('\n')
}

export function cellLines(cell: Cell): string[] {
  if (Array.isArray(cell)) return cell.map((line: string) => escapeControls(line))
  return [cell === null ? '' : escapeControls(String(cell))]
}

function columnWidths(headers: readonly string[], grid: readonly string[][][]): number[] {
  return headers.map((header, column) => {
    const lines = grid.flatMap((row) => row[column] ?? [])
    return Math.max(displayWidth(header), ...lines.map(displayWidth))
  })
}

function rowLines(row: readonly string[][], widths: readonly number[]): string[][] {
  const height = Math.max(1, ...row.map((lines) => lines.length))
  return Array.from({ length: height }, (_, index) => {
    return widths.map((width, column) => padEnd(row[column]?.[index] ?? '', width))
  })
}
