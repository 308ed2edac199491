import { type Command, InvalidArgumentError } from 'commander'
import { isLinkspanError } from '../../../base/errors.ts'
import { openContext } from '../../context.ts'
import { configHelp, configInputs, readConfigFlags } from '../../kafka-config.ts'
import { parseName } from '../../names.ts'
import { collect } from '../../pairs.ts'

interface Options {
  partitions?: number
  replicationFactor?: number
  config?: string[]
  ifNotExists?: boolean
  dryRun?: boolean
}

export function define(command: Command): void {
  command
    .argument('<new-topic>', 'the new topic')
    .option('--partitions <count>', 'as the brokers say when it is not given', parseCount)
    .option('--replication-factor <count>', 'as the brokers say when it is not given', parseCount)
    .option('--config <pairs>', configHelp, collect)
    .option('--if-not-exists', 'be content when there is such a topic')
    .option('--dry-run', 'check everything, create nothing')
    .action(async (text: string, options: Options) => {
      const { remote, name } = parseName(text, 'topic')
      const { partitions, replicationFactor, dryRun = false } = options
      const configs = configInputs(await readConfigFlags(options.config))
      await using context = openContext(command, remote)
      const body = {
        topic_name: name,
        ...(partitions === undefined ? {} : { partitions_count: partitions }),
        ...(replicationFactor === undefined ? {} : { replication_factor: replicationFactor }),
        configs,
        validate_only: dryRun,
      }
      try {
        await context.client.kafka.topics.create(body)
      } catch (error) {
        if (options.ifNotExists && isThere(error)) return
        throw error
      }
      context.say(`${dryRun ? '[DRY RUN] ' : ''}Created topic "${name}".`)
    })
}

/** Confluent's dialect answers 400 for it, so only the sentence tells. */
function isThere(error: unknown): boolean {
  return isLinkspanError(error) && (error.code === 'already-exists' || error.message.includes('already exists'))
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a number from 1.')
}
