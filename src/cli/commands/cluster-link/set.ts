import type { Command } from 'commander'
import { openContext } from '../../context.ts'
import { parseName } from '../../names.ts'
import { readPairs } from '../../set-words.ts'
import { linkProperty } from './form.ts'
import { updateLink } from './update.ts'

interface Options {
  property?: boolean
}

export function define(command: Command): void {
  command
    .usage('[<remote>:]<name> <key>=<value>… | <key> <value> [options]')
    .argument('<link>', 'the link')
    .argument('<words...>', 'what to set; the value "-" is read from standard input')
    .option('-p, --property', 'the keys are properties of the link, such as description')
    .action(async (name: string, words: string[], { property }: Options) => {
      const pairs = await readPairs(words)
      const properties = property ? Object.entries(pairs).map(([key, value]) => [linkProperty(key), value]) : []
      const { remote, name: link } = parseName(name, 'link')
      await using context = openContext(command, remote)
      await updateLink(context, link, (form) => {
        if (property) return { ...form, ...Object.fromEntries(properties) }
        return { ...form, config: { ...form.config, ...pairs } }
      })
    })
}
