import type { Command } from 'commander'
import { complete, files } from '../completion/complete.ts'
import { openContext } from '../context.ts'
import type { CommandTree } from '../tree/node.ts'

export function define(command: Command, tree: CommandTree): void {
  command
    .argument('<line>', 'the command line up to the cursor')
    .addHelpText('after', '\nThis is what the scripts of "completion" ask.')
    .action(async (line: string) => {
      await using context = openContext(command)
      const found = await complete(tree, line)
      if (found === files) return context.print(':files')
      for (const { word, summary } of found) context.print(summary === undefined ? word : `${word}\t${summary}`)
    })
}
