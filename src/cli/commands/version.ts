import type { Command } from 'commander'
import { isLinkspanError } from '../../base/errors.ts'
import { type Context, openContext } from '../context.ts'
import { parseRemote } from '../names.ts'
import { addShowFormat, type FormatOptions, formatOf } from '../render/format.ts'
import { printObject } from '../render/list.ts'
import { version } from '../version.ts'

export function define(command: Command): void {
  addShowFormat(command)
    .argument('[remote:]', 'the daemon that is asked')
    .action(async (remote: string | undefined, options: FormatOptions) => {
      await using context = openContext(command, parseRemote(remote))
      const serverVersion = await askServerVersion(context)
      if (formatOf(options, 'human') !== 'human') {
        return printObject(context, options, { client_version: version, server_version: serverVersion ?? null })
      }
      context.print(`Client version: ${version}`)
      context.print(`Server version: ${serverVersion ?? 'unreachable'}`)
    })
}

/** Undefined when no daemon runs: the version of this program can be asked for without one. */
async function askServerVersion({ client }: Context): Promise<string | undefined> {
  try {
    const { value } = await client.server.get()
    return value.environment?.server_version
  } catch (error) {
    if (isLinkspanError(error, 'unreachable', 'timeout', 'not-permitted')) return undefined
    throw error
  }
}
