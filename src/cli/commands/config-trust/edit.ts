import type { Command } from 'commander'
import type { CertificatePut } from '../../../contract/v1.ts'
import { openContext } from '../../context.ts'
import { editText } from '../../editor.ts'
import { readInput } from '../../input.ts'
import { parseName } from '../../names.ts'
import { yamlText } from '../../render/data.ts'
import { parseYamlMapping } from '../../yaml.ts'

const help = `This is YAML. Lines that begin with "#" are passed over.
The name, the restriction and the certificate can be changed. For example:

name: laptop of ada
type: client
restricted: true`

export function define(command: Command): void {
  command
    .argument('<fingerprint>', 'of the certificate; its beginning is enough')
    .addHelpText('after', '\nOn a terminal the editor of VISUAL or EDITOR opens, else YAML comes from standard input.')
    .action(async (text: string) => {
      const { remote, name: fingerprint } = parseName(text, 'certificate')
      await using context = openContext(command, remote)
      const { certificates } = context.client
      if (!process.stdin.isTTY) return certificates.replace(fingerprint, await parseForm(await readInput()))
      const { value, etag } = await certificates.get(fingerprint)
      const { name, type, restricted, projects, certificate } = value
      const apply = async (yaml: string) => certificates.replace(fingerprint, await parseForm(yaml), etag)
      await editText({ help, text: await yamlText({ name, type, restricted, projects, certificate }), apply })
    })
}

async function parseForm(text: string): Promise<CertificatePut> {
  return (await parseYamlMapping(text)) as CertificatePut
}
