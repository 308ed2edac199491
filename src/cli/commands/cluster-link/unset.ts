import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { linkProperty } from './form.ts'
import { updateLink } from './update.ts'

interface Options {
  property?: boolean
}

export function define(command: Command): void {
  command
    .argument('<link>', 'the link')
    .argument('<key>', 'the config key')
    .option('-p, --property', 'the key is a property of the link, such as description')
    .action(async (name: string, key: string, options: Options) => {
      const property = options.property ? linkProperty(key) : undefined
      const { remote, name: link } = parseName(name, 'link')
      await using context = openContext(command, remote)
      await updateLink(context, link, (form) => {
        return property ? { ...form, [property]: '' } : { ...form, config: { ...form.config, [key]: '' } }
      })
    })
}
