import { type Command, InvalidArgumentError } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { followOperation } from '../../operations.ts'
import { addShowFormat, type FormatOptions } from '../../render/format.ts'
import { printObject } from '../../render/list.ts'

interface Options extends FormatOptions {
  timeout?: number
}

export function define(command: Command): void {
  addShowFormat(command)
    .argument('<operation>', 'its id')
    .option('--timeout <seconds>', 'how long at most; without it, as long as it takes', parseSeconds)
    .addHelpText('after', '\nThe exit code is 0 only when the operation succeeded.')
    .action(async (text: string, options: Options) => {
      const { remote, name: id } = parseName(text, 'operation')
      await using context = openContext(command, remote)
      const timeoutMs = options.timeout === undefined ? undefined : options.timeout * 1000
      const operation = await followOperation(context, id, { timeoutMs })
      await printObject(context, options, operation)
    })
}

function parseSeconds(text: string): number {
  const seconds = /^\d{1,7}(\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(seconds)) throw new InvalidArgumentError('Expected a number of seconds.')
  return seconds
}
