import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'

export function define(command: Command): void {
  command.argument('<warning>', 'its UUID').action(async (text: string) => {
    const { remote, name: uuid } = parseName(text, 'warning')
    await using context = openContext(command, remote)
    await context.client.warnings.setStatus(uuid, 'acknowledged')
    context.say(`Warning ${uuid} acknowledged`)
  })
}
