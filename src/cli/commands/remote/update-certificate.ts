import type { Command } from 'commander'
import { fingerprintOf } from '../../../identity/certificate.ts'
import { askForConsent } from '../../consent.ts'
import { openContext } from '../../context.ts'
import { Questions } from '../../input.ts'
import { parseRemoteItself } from '../../names.ts'
import { findCertificate } from '../../remotes/addresses.ts'
import { RemotesFolder } from '../../remotes/folder.ts'

interface Options {
  acceptCertificate?: boolean
}

export function define(command: Command): void {
  command
    .argument('<remote>', 'the remote')
    .option('--accept-certificate', 'trust the new certificate without looking at it')
    .action(async (text: string, { acceptCertificate }: Options) => {
      const name = parseRemoteItself(text)
      await using context = openContext(command)
      const folder = new RemotesFolder()
      const { addresses } = await folder.readRemote(name)
      const pinned = fingerprintOf(await folder.readPin(name))
      const found = await findCertificate(addresses)
      if (found.fingerprint === pinned) return context.say(`Remote ${name} presents the pinned certificate`)
      if (!acceptCertificate) {
        context.note(`Pinned until now:        ${pinned}`)
        using questions = new Questions()
        await askForConsent(questions, found.fingerprint, 'the pin is as it was')
      }
      await folder.writePin(name, found.certificatePem)
      context.say(`Remote ${name} has a new pinned certificate`)
    })
}
