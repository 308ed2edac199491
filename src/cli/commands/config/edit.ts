import type { Command } from 'commander'
import type { ServerPut } from '../../../contract/v1.ts'
import { openContext } from '../../context.ts'
import { editText } from '../../editor.ts'
import { readInput } from '../../input.ts'
import { parseRemote } from '../../names.ts'
import { yamlText } from '../../render/data.ts'
import { parseYamlMapping } from '../../yaml.ts'

const help = `This is YAML. Lines that begin with "#" are passed over.
For example:

config:
  core.remote_token_expiry: 1d`

export function define(command: Command): void {
  command
    .argument('[remote:]', 'the daemon that is meant')
    .addHelpText('after', '\nOn a terminal the editor of VISUAL or EDITOR opens, else YAML comes from standard input.')
    .action(async (remote: string | undefined) => {
      await using context = openContext(command, parseRemote(remote))
      const { server } = context.client
      if (!process.stdin.isTTY) return server.replaceConfig(await parseForm(await readInput()))
      const { value, etag } = await server.get()
      const apply = async (text: string) => server.replaceConfig(await parseForm(text), etag)
      await editText({ help, text: await yamlText({ config: value.config }), apply })
    })
}

async function parseForm(text: string): Promise<ServerPut> {
  const { config } = (await parseYamlMapping(text)) as ServerPut
  return { config: config ?? {} }
}
