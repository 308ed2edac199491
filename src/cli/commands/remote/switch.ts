import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { localRemote, parseRemoteItself } from '../../names.ts'
import { noSuchRemote, RemotesFolder } from '../../remotes/folder.ts'

export function define(command: Command): void {
  command
    .argument('<remote>', `the remote, or ${localRemote}`)
    .addHelpText('after', '\nLINKSPAN_REMOTE in the environment wins over it.')
    .action(async (text: string) => {
      const name = parseRemoteItself(text)
      await using context = openContext(command)
      await new RemotesFolder().changeConfig((config) => {
        if (name !== localRemote && !Object.hasOwn(config.remotes, name)) throw noSuchRemote(name)
        config['default-remote'] = name
      })
      context.say(`Default remote is now ${name}`)
    })
}
