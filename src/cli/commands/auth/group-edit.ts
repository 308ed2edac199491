import type { Command } from 'commander'
import type { AuthGroupPut } from '../../../contract/v1.ts'
import { type Context, openContext } from '../../context.ts'
import { editText } from '../../editor.ts'
import { readInput } from '../../input.ts'
import { parseName } from '../../names.ts'
import { yamlText } from '../../render/data.ts'
import { parseYamlMapping } from '../../yaml.ts'

const help = `This is YAML. Lines that begin with "#" are passed over.
Description and permissions can be changed, nothing else. For example:

description: May read the orders
permissions:
- entity_type: topic
  url: /1.0/topics/orders
  entitlement: can_read`

export function define(command: Command): void {
  command
    .argument('<group>', 'the group')
    .addHelpText('after', '\nOn a terminal the editor of VISUAL or EDITOR opens, else YAML comes from standard input.')
    .action(async (name: string) => {
      const { remote, name: group } = parseName(name, 'group')
      await using context = openContext(command, remote)
      await edit(context, group)
    })
}

async function edit(context: Context, name: string): Promise<void> {
  const { groups } = context.client
  if (!process.stdin.isTTY) {
    await groups.replace(name, await parseForm(await readInput()))
    return
  }
  const { value, etag } = await groups.get(name)
  const { description, permissions } = value
  const apply = async (text: string) => groups.replace(name, await parseForm(text), etag)
  await editText({ help, text: await yamlText({ description, permissions }), apply })
}

async function parseForm(text: string): Promise<AuthGroupPut> {
  const { description, permissions } = (await parseYamlMapping(text)) as AuthGroupPut
  return { description: description ?? '', permissions: permissions ?? [] }
}
