import type { Command } from 'commander'
import { type Context, openContext } from '../../context.ts'
import { editText } from '../../editor.ts'
import { readInput } from '../../input.ts'
import { parseName } from '../../names.ts'
import { yamlText } from '../../render/data.ts'
import { linkForm, parseLinkForm } from './form.ts'

const help = `This is YAML. Lines that begin with "#" are passed over.
For example:

description: Backup cluster in the other hall
config:
  user.owner: operations`

export function define(command: Command): void {
  command
    .argument('<link>', 'the link')
    .addHelpText('after', '\nOn a terminal the editor of VISUAL or EDITOR opens, else YAML comes from standard input.')
    .action(async (name: string) => {
      const { remote, name: link } = parseName(name, 'link')
      await using context = openContext(command, remote)
      await edit(context, link)
    })
}

async function edit(context: Context, name: string): Promise<void> {
  const { clusterLinks } = context.client
  if (!process.stdin.isTTY) {
    await clusterLinks.replace(name, await parseLinkForm(await readInput()))
    return
  }
  const { value, etag } = await clusterLinks.get(name)
  const apply = async (text: string) => clusterLinks.replace(name, await parseLinkForm(text), etag)
  await editText({ help, text: await yamlText(linkForm(value)), apply })
  context.say(`Cluster link ${name} updated`)
}
