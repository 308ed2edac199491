import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { splitKey } from './form.ts'

export function define(command: Command): void {
  command
    .usage('[<remote>:] <key> [options]')
    .argument('<words...>', 'the key')
    .action(async (words: string[]) => {
      const { remote, key } = splitKey(words)
      await using context = openContext(command, remote)
      const { value } = await context.client.server.get()
      context.print(value.config[key] ?? '')
    })
}
