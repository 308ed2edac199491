/** One line, as LXD's client prints lists. */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value)
}

/** Indented by two, as Confluent's client prints everything. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2)
}

/** Without the final line feed. Lists are not indented: that is how LXD's and Confluent's clients write them. */
export async function yamlText(value: unknown): Promise<string> {
  const { stringify } = await import('yaml')
  return stringify(value, { indentSeq: false, lineWidth: 0, aliasDuplicateObjects: false }).trimEnd()
}

/** One record a line, without headers. */
export function csvText(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => row.map(csvField).join(',')).join('\n')
}

function csvField(text: string): string {
  return /[",\r\n]|^\s/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
