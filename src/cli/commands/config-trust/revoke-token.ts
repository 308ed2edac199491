import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { listStoreTokens } from './tokens.ts'

export function define(command: Command): void {
  command.argument('<name>', 'what "config trust add" called it').action(async (text: string) => {
    const { remote, name } = parseName(text, 'token')
    await using context = openContext(command, remote)
    const { client } = context
    const found = (await listStoreTokens(client)).filter((token) => token.name === name)
    if (found.length === 0) throw new LinkspanError('not-found', `There is no token for "${name}"`)
    for (const { operationId } of found) await client.operations.cancel(operationId)
    context.say(`Certificate add token for ${name} deleted`)
  })
}
