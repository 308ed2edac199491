import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseRemoteItself } from '../../names.ts'
import { parseAddresses } from '../../remotes/addresses.ts'
import { noSuchRemote, RemotesFolder } from '../../remotes/folder.ts'

export function define(command: Command): void {
  command
    .argument('<remote>', 'the remote')
    .argument('<address>', 'its address, or several parted by commas; the certificate stays pinned')
    .action(async (text: string, place: string) => {
      const name = parseRemoteItself(text)
      const addresses = parseAddresses(place)
      await using context = openContext(command)
      await new RemotesFolder().changeConfig(({ remotes }) => {
        if (!Object.hasOwn(remotes, name)) throw noSuchRemote(name)
        remotes[name] = { ...remotes[name], addresses }
      })
      context.say(`Remote ${name} is now at ${addresses.join(', ')}`)
    })
}
