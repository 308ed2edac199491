import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { addShowFormat, type FormatOptions } from '../../render/format.ts'
import { printObject } from '../../render/list.ts'

export function define(command: Command): void {
  addShowFormat(command)
    .argument('<fingerprint>', 'of the certificate; its beginning is enough')
    .action(async (text: string, options: FormatOptions) => {
      const { remote, name: fingerprint } = parseName(text, 'certificate')
      await using context = openContext(command, remote)
      await printObject(context, options, (await context.client.certificates.get(fingerprint)).value)
    })
}
