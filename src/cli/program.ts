import { Command, CommanderError } from 'commander'
import { explainError, isLinkspanError } from '../base/errors.ts'
import { addGlobalOptions } from './global-options.ts'
import { escapeControls } from './render/text.ts'
import { type CommandLeaf, type CommandTree, isGroup } from './tree/node.ts'
import { commandTree } from './tree/root.ts'
import { version } from './version.ts'

const usageExitCode = 2
const failureExitCode = 1

/** Runs one command line; the answer is the exit code. Everything that is no result goes to standard error. */
export async function run(words: readonly string[]): Promise<number> {
  ignoreClosedPipes()
  const program = createProgram()
  if (words.length === 0) {
    program.outputHelp()
    return 0
  }
  try {
    await program.parseAsync(helpLast(words), { from: 'user' })
    return 0
  } catch (error) {
    return tellError(error, words.includes('--debug'))
  }
}

export function createProgram(): Command {
  const program = addGlobalOptions(new Command('linkspan'))
    .description('Links hosts into a cluster, clusters to each other, and Kafka topics across them.')
    .version(version, '--version', 'print the version of this program')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'Error: ')) })
    .addHelpText(
      'after',
      '\nA remote can stand before the name of whatever is meant, or alone, as in berlin:orders and berlin:',
    )
    .addHelpText('after', '\nExit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 not reachable,')
    .addHelpText('after', '4 not permitted, 5 a verification found a difference.')
    .exitOverride()
  addCommands(program, commandTree)
  return program
}

/** Only the command that is meant is loaded, which is most of the time that a start takes. */
function addCommands(parent: Command, nodes: CommandTree): void {
  const loaders = new Map<Command, () => Promise<void>>()
  for (const [name, node] of Object.entries(nodes)) {
    const command = parent
      .command(name, { hidden: node.hidden ?? false })
      .description(node.summary)
      .aliases(node.aliases ?? [])
    if (isGroup(node)) addCommands(command, node.commands)
    else loaders.set(command, () => defineLeaf(command, node))
  }
  parent.hook('preSubcommand', async (_parent, command) => loaders.get(command)?.())
}

async function defineLeaf(command: Command, { load, example }: CommandLeaf): Promise<void> {
  const { define } = await load()
  define(command, commandTree)
  const lines = [example].flat()
  const title = lines.length === 1 ? 'Example:' : 'Examples:'
  command.addHelpText('after', `\n${title}\n${lines.map((line) => `  ${line}`).join('\n')}`)
}

/** `help a b` is `a b --help`. */
function helpLast(words: readonly string[]): string[] {
  return words[0] === 'help' ? [...words.slice(1), '--help'] : [...words]
}

function tellError(error: unknown, debug: boolean): number {
  // Commander has printed its text already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageExitCode
  const text = escapeControls(explainError(error), '\n')
  process.stderr.write(`Error: ${text}\n`)
  if (debug && error instanceof Error) process.stderr.write(`${error.stack}\n`)
  return isLinkspanError(error) ? error.exitCode : failureExitCode
}

/** `linkspan … | head` is no error. */
function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
}
