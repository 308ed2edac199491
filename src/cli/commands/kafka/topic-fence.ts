import type { Command } from 'commander'
import { openContext } from '../../context.ts'

export function define(command: Command): void {
  command
    .argument('<topic>', 'the topic')
    .addHelpText('after', '\nReaders are not touched, and super users go on writing. Undone by "kafka topic unfence".')
    .action(async (topic: string) => {
      await using context = openContext(command)
      await context.client.topicFences.fence(topic)
      context.say(`Fenced topic "${topic}".`)
    })
}
