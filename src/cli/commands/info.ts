import type { Command } from 'commander'
import { openContext } from '../context.ts'
import { parseRemote } from '../names.ts'
import { addShowFormat, type FormatOptions } from '../render/format.ts'
import { printObject } from '../render/list.ts'

export function define(command: Command): void {
  addShowFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .action(async (remote: string | undefined, options: FormatOptions) => {
      await using context = openContext(command, parseRemote(remote))
      await printObject(context, options, (await context.client.server.get()).value)
    })
}
