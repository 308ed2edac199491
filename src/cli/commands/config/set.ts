import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { readPairs } from '../../set-words.ts'
import { splitRemote, updateConfig } from './form.ts'

export function define(command: Command): void {
  command
    .usage('[<remote>:] <key>=<value>… | <key> <value> [options]')
    .argument('<words...>', 'what to set; the value "-" is read from standard input')
    .action(async (given: string[]) => {
      const { remote, words } = splitRemote(given)
      const pairs = await readPairs(words)
      await using context = openContext(command, remote)
      await updateConfig(context, (config) => ({ ...config, ...pairs }))
    })
}
