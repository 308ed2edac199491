import type { Command } from 'commander'
import { openContext } from '../../context.ts'

export function define(command: Command): void {
  command.argument('<topic>', 'the topic').action(async (topic: string) => {
    await using context = openContext(command)
    await context.client.topicFences.lift(topic)
    context.say(`Unfenced topic "${topic}".`)
  })
}
