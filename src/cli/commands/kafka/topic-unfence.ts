import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'

export function define(command: Command): void {
  command.argument('<topic>', 'the topic').action(async (text: string) => {
    const { remote, name: topic } = parseName(text, 'topic')
    await using context = openContext(command, remote)
    await context.client.topicFences.lift(topic)
    context.say(`Unfenced topic "${topic}".`)
  })
}
