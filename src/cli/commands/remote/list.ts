import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { localRemote } from '../../names.ts'
import { RemotesFolder } from '../../remotes/folder.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { type Column, printList } from '../../render/list.ts'

interface Row {
  name: string
  urls: string[]
  current: boolean
}

const yesNo = (value: boolean) => (value ? 'YES' : 'NO')

/** As LXD's client has them. */
const columns: Column<Row>[] = [
  { header: 'NAME', cell: ({ name, current }) => (current ? `${name} (current)` : name) },
  { header: 'URL', cell: ({ urls }) => urls },
  { header: 'PROTOCOL', cell: () => 'lxd' },
  { header: 'AUTH TYPE', cell: ({ name }) => (name === localRemote ? 'file access' : 'tls') },
  { header: 'PUBLIC', cell: () => yesNo(false) },
  { header: 'STATIC', cell: ({ name }) => yesNo(name === localRemote) },
]

export function define(command: Command): void {
  addListFormat(command).action(async (options: FormatOptions) => {
    await using context = openContext(command)
    const { remotes } = await new RemotesFolder().readConfig()
    const current = await context.remote()
    const urls = Object.entries(remotes).map(([name, { addresses }]) => {
      return { name, urls: addresses.map((address) => `https://${address}`) }
    })
    const rows = [{ name: localRemote, urls: ['unix://'] }, ...urls].map((row) => {
      return { ...row, current: row.name === current }
    })
    await printList(context, options, { columns, rows })
  })
}
