import { type Command, Option } from 'commander'
import { LinkspanError } from '../../base/errors.ts'

/** `human` is the look of Confluent's CLI, `table` that of LXD's. */
export type Format = 'human' | 'table' | 'compact' | 'csv' | 'json' | 'yaml'

export interface FormatOptions {
  format?: Format
  output?: Format
}

/** Of commands that list things, or compute rows about one. */
export function addListFormat(command: Command): Command {
  return command
    .addOption(new Option('-f, --format <format>', 'how to print').choices(['table', 'compact', 'csv', 'json', 'yaml']))
    .addOption(outputOption())
}

/** Of commands that show one object whole. */
export function addShowFormat(command: Command): Command {
  return command
    .addOption(new Option('-f, --format <format>', 'how to print').choices(['json', 'yaml']))
    .addOption(outputOption())
}

function outputOption(): Option {
  return new Option('-o, --output <format>', 'the same, by the names of the Confluent CLI').choices([
    'human',
    'json',
    'yaml',
  ])
}

export function formatOf(options: FormatOptions, fallback: Format): Format {
  const { format, output } = options
  if (format !== undefined && output !== undefined && format !== output) {
    throw new LinkspanError('usage', 'Give either --format or --output, not both')
  }
  return format ?? output ?? fallback
}
