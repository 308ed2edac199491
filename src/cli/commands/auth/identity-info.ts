import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { expectLocal } from '../../names.ts'
import { addShowFormat, type FormatOptions } from '../../render/format.ts'
import { printObject } from '../../render/list.ts'

export function define(command: Command): void {
  addShowFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .action(async (remote: string | undefined, options: FormatOptions) => {
      expectLocal(remote)
      await using context = openContext(command)
      await printObject(context, options, await context.client.identities.current())
    })
}
