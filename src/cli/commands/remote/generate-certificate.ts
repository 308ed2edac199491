import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import { fingerprintOf } from '../../../identity/certificate.ts'
import { openContext } from '../../context.ts'
import { ensureClient } from '../../remotes/certificate.ts'
import { RemotesFolder } from '../../remotes/folder.ts'

export function define(command: Command): void {
  command.addHelpText('after', '\n"linkspan remote add" makes one by itself when there is none.').action(async () => {
    await using context = openContext(command)
    const folder = new RemotesFolder()
    const { client, made } = await ensureClient(folder)
    if (!made) throw new LinkspanError('already-exists', `There is a certificate already, in ${folder.path}`)
    context.say(`Client certificate ${fingerprintOf(client.certificatePem)} generated`)
  })
}
