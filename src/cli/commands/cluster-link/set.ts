import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import { openContext } from '../../context.ts'
import { valueOrInput } from '../../input.ts'
import { parseName } from '../../names.ts'
import { parsePairs } from '../../pairs.ts'
import { linkProperty } from './form.ts'
import { updateLink } from './update.ts'

interface Options {
  property?: boolean
}

export function define(command: Command): void {
  command
    .usage('[<remote>:]<name> <key>=<value>… | <key> <value> [options]')
    .argument('<name>', 'the link')
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

/** `key=value…`, or one key and its value as two words. */
async function readPairs(words: readonly string[]): Promise<Record<string, string>> {
  const [key = '', value] = words
  const pairs = words.length === 2 && value !== undefined && !key.includes('=') ? { [key]: value } : parsePairs(words)
  const fromInput = Object.values(pairs).filter((each) => each === '-')
  if (fromInput.length > 1) throw new LinkspanError('usage', 'Only one value can come from standard input')
  const read = Object.entries(pairs).map(async ([name, each]) => [name, await valueOrInput(each)] as const)
  return Object.fromEntries(await Promise.all(read))
}
