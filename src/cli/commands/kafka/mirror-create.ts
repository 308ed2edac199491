import { type Command, InvalidArgumentError } from 'commander'
import type { CreateMirror } from '../../../contract/kafka-v3.ts'
import { openContext } from '../../context.ts'
import { configHelp, configInputs, readConfigFlags } from '../../kafka-config.ts'
import { parseName } from '../../names.ts'
import { collect } from '../../pairs.ts'

interface Options {
  link: string
  sourceTopic?: string
  replicationFactor?: number
  config?: string[]
  adopt?: boolean
}

export function define(command: Command): void {
  command
    .argument('<new-topic>', 'the mirror topic')
    .requiredOption('--link <link>', 'the link that it comes over')
    .option('--source-topic <topic>', 'its source, when that has another name')
    .option('--replication-factor <count>', 'of the mirror topic; as the brokers say when it is not given', parseCount)
    .option('--config <pairs>', configHelp, collect)
    .option('--adopt', 'take over an existing topic that is an equal copy of its source, and go on from its end')
    .action(async (text: string, options: Options) => {
      const { remote, name: topic } = parseName(text, 'topic')
      const body = bodyOf(topic, options, await readConfigFlags(options.config))
      await using context = openContext(command, remote)
      await context.client.kafka.mirrors.create(options.link, body)
      context.say(`Created mirror topic "${topic}".`)
    })
}

/** The name of the mirror goes along only when it differs, as a prefix of the link may have to come before it. */
function bodyOf(topic: string, options: Options, config: Record<string, string>): CreateMirror {
  const { sourceTopic = topic, replicationFactor, adopt } = options
  return {
    source_topic_name: sourceTopic,
    ...(sourceTopic === topic ? {} : { mirror_topic_name: topic }),
    ...(replicationFactor === undefined ? {} : { replication_factor: replicationFactor }),
    configs: configInputs(config),
    ...(adopt ? { adopt: true } : {}),
  }
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a number from 1.')
}
