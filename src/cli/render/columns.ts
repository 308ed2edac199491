import { LinkspanError } from '../../base/errors.ts'
import type { Column } from './list.ts'

/** The columns of `-c abc`, in that order; all of them without it. Throws `usage` for a letter that is none. */
export function chosenColumns<Row>(
  columns: readonly Column<Row>[],
  letters: string | undefined,
): readonly Column<Row>[] {
  if (letters === undefined) return columns
  const wanted = [...letters.replaceAll(',', '')]
  if (wanted.length === 0) throw new LinkspanError('usage', 'Name at least one column')
  return wanted.map((letter) => {
    const column = columns.find((each) => each.letter === letter)
    if (column) return column
    const known = columns.map((each) => `${each.letter} (${each.header})`).join(', ')
    throw new LinkspanError('usage', `There is no column "${letter}": choose among ${known}`)
  })
}
