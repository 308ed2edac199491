import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'

export function define(command: Command): void {
  command.argument('<fingerprint>', 'of the certificate; its beginning is enough').action(async (text: string) => {
    const { remote, name: fingerprint } = parseName(text, 'certificate')
    await using context = openContext(command, remote)
    await context.client.certificates.delete(fingerprint)
  })
}
