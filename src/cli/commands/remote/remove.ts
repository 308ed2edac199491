import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import { openContext } from '../../context.ts'
import { localRemote, parseRemoteItself } from '../../names.ts'
import { noSuchRemote, RemotesFolder } from '../../remotes/folder.ts'

export function define(command: Command): void {
  command
    .argument('<remote>', 'the remote')
    .addHelpText('after', '\nThe daemon goes on knowing you: "linkspan auth identity delete" there ends that.')
    .action(async (text: string) => {
      const name = parseRemoteItself(text)
      await using context = openContext(command)
      const folder = new RemotesFolder()
      await folder.changeConfig((config) => {
        if (name === localRemote) throw new LinkspanError('usage', 'The daemon of this machine is no remote to remove')
        if (!Object.hasOwn(config.remotes, name)) throw noSuchRemote(name)
        if (config['default-remote'] === name) {
          const wayOut = `switch to another first, with "linkspan remote switch ${localRemote}"`
          throw new LinkspanError('in-use', `Remote "${name}" is the default one: ${wayOut}`)
        }
        delete config.remotes[name]
      })
      await folder.removePin(name)
      context.say(`Remote ${name} removed`)
    })
}
