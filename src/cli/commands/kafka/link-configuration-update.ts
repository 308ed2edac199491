import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { configHelp, configInputs, readConfigFlags } from '../../kafka-config.ts'
import { parseName } from '../../names.ts'
import { collect } from '../../pairs.ts'

interface Options {
  config: string[]
  dryRun?: boolean
}

export function define(command: Command): void {
  command
    .argument('<link>', 'the link')
    .requiredOption('--config <pairs>', configHelp, collect)
    .option('--dry-run', 'check everything, change nothing')
    .action(async (text: string, { config, dryRun: validateOnly = false }: Options) => {
      const { remote, name: link } = parseName(text, 'link')
      const data = configInputs(await readConfigFlags(config))
      await using context = openContext(command, remote)
      await context.client.kafka.configs.alter(link, data, { validateOnly })
      context.say(`${validateOnly ? '[DRY RUN] ' : ''}Updated cluster link "${link}".`)
    })
}
