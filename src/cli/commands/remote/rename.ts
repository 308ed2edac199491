import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import { openContext } from '../../context.ts'
import { parseRemoteItself } from '../../names.ts'
import { checkRemoteName, noSuchRemote, RemotesFolder } from '../../remotes/folder.ts'

export function define(command: Command): void {
  command
    .argument('<remote>', 'the remote')
    .argument('<new-name>', 'what it is called from now on')
    .action(async (text: string, newText: string) => {
      const [name, newName] = [parseRemoteItself(text), parseRemoteItself(newText)]
      checkRemoteName(newName)
      await using context = openContext(command)
      const folder = new RemotesFolder()
      const pin = await pinOf(folder, name, newName)
      // The pin under both names until the config says which counts: a crash in between breaks neither.
      await folder.writePin(newName, pin)
      await folder.changeConfig((config) => {
        config.remotes[newName] = config.remotes[name]!
        delete config.remotes[name]
        if (config['default-remote'] === name) config['default-remote'] = newName
      })
      await folder.removePin(name)
      context.say(`Remote ${name} renamed to ${newName}`)
    })
}

async function pinOf(folder: RemotesFolder, name: string, newName: string): Promise<string> {
  const { remotes } = await folder.readConfig()
  if (!Object.hasOwn(remotes, name)) throw noSuchRemote(name)
  if (Object.hasOwn(remotes, newName)) {
    throw new LinkspanError('already-exists', `There is a remote "${newName}" already: choose another name`)
  }
  return folder.readPin(name)
}
