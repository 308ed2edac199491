import { type Command, Option } from 'commander'
import { openContext } from '../../context.ts'
import { configHelp, readConfigFlags } from '../../kafka-config.ts'
import { parseName } from '../../names.ts'
import { collect } from '../../pairs.ts'
import { createdLinkText, createLinkBody, type LinkEnds, type LinkKeys } from './link-form.ts'

interface Options extends LinkEnds, LinkKeys {
  config?: string[]
  configFile?: string
  dryRun?: boolean
  validate: boolean
}

export function define(command: Command): void {
  command
    .argument('<new-link>', 'the new link')
    .option('--source-cluster <id>', 'id of the Kafka cluster that is mirrored from')
    .option('--source-bootstrap-server <list>', 'its bootstrap servers, as host:port parted by commas')
    .option('--destination-cluster <id>', 'id of the Kafka cluster that is mirrored to, when this one is the source')
    .option('--destination-bootstrap-server <list>', 'its bootstrap servers')
    .option('--remote-cluster <id>', 'id of the other Kafka cluster of a bidirectional link')
    .option('--remote-bootstrap-server <list>', 'its bootstrap servers')
    .option('--config <pairs>', configHelp, collect)
    .addOption(new Option('--config-file <file>').hideHelp().conflicts('config'))
    .option('--dry-run', 'check everything, create nothing')
    .addOption(new Option('--no-validate', 'create the link even if the other side cannot be reached').default(true))
  for (const side of ['source', 'destination', 'remote', 'local']) {
    command.addOption(new Option(`--${side}-api-key <key>`, `name of the SASL/PLAIN login at the ${side} cluster`))
    command.addOption(new Option(`--${side}-api-secret <secret>`, 'its password; better in a file for --config'))
  }
  command.addHelpText('after', help).action(async (text: string, options: Options) => {
    const { remote, name } = parseName(text, 'link')
    const flags = options.configFile === undefined ? options.config : [options.configFile]
    const body = createLinkBody(await readConfigFlags(flags), options, options)
    await using context = openContext(command, remote)
    const { dryRun: validateOnly = false, validate: validateLink } = options
    await context.client.kafka.links.create(name, body, { validateOnly, validateLink })
    context.say(`${validateOnly ? '[DRY RUN] ' : ''}${createdLinkText(name, body)}`)
  })
}

const help = `
Trust between two Linkspan clusters is made by "linkspan cluster link create"; such a link needs no Kafka login.`
