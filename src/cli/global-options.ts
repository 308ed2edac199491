import type { Command } from 'commander'

export interface GlobalOptions {
  stateDir?: string
  remote?: string
  forceLocal?: boolean
  quiet?: boolean
}

/** What every command takes. */
export function addGlobalOptions(command: Command): Command {
  return command
    .option('--state-dir <dir>', 'state directory of the daemon that is meant (or LINKSPAN_DIR in the environment)')
    .option('--remote <remote>', 'the daemon that is meant, where no argument names it (or LINKSPAN_REMOTE)')
    .option('--force-local', 'the daemon of this machine is meant, whatever the default remote is')
    .option('-q, --quiet', 'print results only')
    .option('--debug', 'show where an error comes from')
}
