import type { Command } from 'commander'
import { openContext } from '../context.ts'
import { parseRemote } from '../names.ts'
import { addListFormat, type FormatOptions } from '../render/format.ts'
import { type Column, printList } from '../render/list.ts'

interface FootprintItem {
  what: string
  name: string
  detail: string
}

const columns: Column<FootprintItem>[] = [
  { header: 'WHAT', cell: ({ what }) => what },
  { header: 'NAME', cell: ({ name }) => name },
  { header: 'DETAIL', cell: ({ detail }) => detail },
]

export function define(command: Command): void {
  addListFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .action(async (remote: string | undefined, options: FormatOptions) => {
      await using context = openContext(command, parseRemote(remote))
      const rows = (await context.client.v1.get<FootprintItem[] | null>('/1.0/footprint')) ?? []
      if (rows.length === 0) context.note('Nothing of this Kafka cluster was changed.')
      await printList(context, options, { columns, rows })
    })
}
