import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseRemote } from '../../names.ts'
import { addListFormat, type FormatOptions } from '../../render/format.ts'
import { printRecords } from '../../render/list.ts'
import { byName, linkColumns, linkRow, topicColumn } from './link-rows.ts'

interface Options extends FormatOptions {
  includeTopics?: boolean
}

export function define(command: Command): void {
  addListFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .option('--include-topics', 'one row for each mirror topic')
    .action(async (remote: string | undefined, options: Options) => {
      await using context = openContext(command, parseRemote(remote))
      const links = (await context.client.kafka.links.list()).toSorted(byName)
      if (!options.includeTopics) {
        return printRecords(context, options, { columns: linkColumns, rows: links.map((link) => linkRow(link)) })
      }
      const rows = links.flatMap((link) => link.topic_names.toSorted().map((topic) => linkRow(link, topic)))
      const [name, id, ...others] = linkColumns
      await printRecords(context, options, { columns: [name!, id!, topicColumn, ...others], rows })
    })
}
