import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'

export function define(command: Command): void {
  command
    .argument('<topic>', 'the topic')
    .addHelpText('after', '\nReaders are not touched, and super users go on writing. Undone by "kafka topic unfence".')
    .action(async (text: string) => {
      const { remote, name: topic } = parseName(text, 'topic')
      await using context = openContext(command, remote)
      await context.client.topicFences.fence(topic)
      context.say(`Fenced topic "${topic}".`)
    })
}
