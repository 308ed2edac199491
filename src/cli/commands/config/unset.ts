import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { splitKey, updateConfig } from './form.ts'

export function define(command: Command): void {
  command
    .usage('[<remote>:] <key> [options]')
    .argument('<words...>', 'the key')
    .action(async (words: string[]) => {
      const { remote, key } = splitKey(words)
      await using context = openContext(command, remote)
      await updateConfig(context, ({ [key]: _, ...others }) => others)
    })
}
