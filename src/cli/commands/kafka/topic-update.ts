import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import { openContext } from '../../context.ts'
import { configHelp, configInputs, readConfigFlags } from '../../kafka-config.ts'
import { parseName } from '../../names.ts'
import { collect } from '../../pairs.ts'

interface Options {
  config: string[]
}

const partitionsKey = 'num.partitions'

export function define(command: Command): void {
  command
    .argument('<topic>', 'the topic')
    .requiredOption('--config <pairs>', configHelp, collect)
    .addHelpText('after', `\n${partitionsKey} adds partitions; there cannot become fewer.`)
    .action(async (text: string, { config }: Options) => {
      const { remote, name } = parseName(text, 'topic')
      const { [partitionsKey]: partitions, ...others } = await readConfigFlags(config)
      const count = partitions === undefined ? undefined : countOf(partitions)
      await using context = openContext(command, remote)
      const { topics } = context.client.kafka
      if (Object.keys(others).length > 0) await topics.alterConfigs(name, configInputs(others))
      if (count !== undefined) await topics.setPartitions(name, count)
      context.say(`Updated the following configuration values for topic "${name}":`)
      for (const [key, value] of Object.entries({
        ...others,
        ...(partitions && { [partitionsKey]: partitions }),
      }).sort()) {
        context.say(`${key}=${value}`)
      }
    })
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new LinkspanError('usage', `Expected ${partitionsKey} to be a number from 1, got "${text}"`)
}
