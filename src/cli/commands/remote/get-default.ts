import type { Command } from 'commander'
import { openContext } from '../../context.ts'

export function define(command: Command): void {
  command.action(async () => {
    await using context = openContext(command)
    context.print(await context.remote())
  })
}
