import type { Command } from 'commander'
import type { IdentityPut } from '../../../contract/v1.ts'
import { openContext } from '../../context.ts'
import { editText } from '../../editor.ts'
import { readInput } from '../../input.ts'
import { parseIdentityName } from '../../names.ts'
import { yamlText } from '../../render/data.ts'
import { parseYamlMapping } from '../../yaml.ts'
import { getIdentity } from './identity-form.ts'

const help = `This is YAML. Lines that begin with "#" are passed over.
The groups can be changed, and the certificate can be replaced. For example:

groups:
- readers
- writers`

export function define(command: Command): void {
  command
    .argument('<identity>', 'tls/<name or identifier>, or cluster-link/<name>')
    .addHelpText('after', '\nOn a terminal the editor of VISUAL or EDITOR opens, else YAML comes from standard input.')
    .action(async (text: string) => {
      const name = parseIdentityName(text)
      await using context = openContext(command, name.remote)
      const { value, etag } = await getIdentity(context, name)
      const apply = async (yaml: string) => {
        const { groups, tls_certificate } = (await parseYamlMapping(yaml)) as IdentityPut
        const form = { groups: groups ?? [], tls_certificate: tls_certificate ?? '' }
        await context.client.identities.replace(name.nameOrId, form, etag)
      }
      if (!process.stdin.isTTY) return apply(await readInput())
      const { groups, tls_certificate } = value
      await editText({ help, text: await yamlText({ groups, tls_certificate }), apply })
    })
}
