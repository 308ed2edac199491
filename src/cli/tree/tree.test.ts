import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Command } from 'commander'
import { addGlobalOptions } from '../global-options.ts'
import { type CommandLeaf, type CommandTree, isGroup } from './node.ts'
import { commandTree } from './root.ts'

function leavesOf(tree: CommandTree, path: string[] = []): [string[], CommandLeaf][] {
  return Object.entries(tree).flatMap(([name, node]) => {
    const here = [...path, name]
    return isGroup(node) ? leavesOf(node.commands, here) : [[here, node] as [string[], CommandLeaf]]
  })
}

/** What a shell would hand over of an example, redirections left out. */
function wordsOf(example: string): string[] {
  const line = example.replace(/^source <\((.*)\)$/, '$1').replace(/ [<>] .*$/, '')
  const words = line.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single))
}

const leaves = leavesOf(commandTree)

test('every command has an example, which it takes as it stands', async () => {
  assert.ok(leaves.length > 90)
  for (const [path, leaf] of leaves) {
    const { define } = await leaf.load()
    for (const example of [leaf.example].flat()) {
      const [program, ...words] = wordsOf(example)
      const command = addGlobalOptions(new Command())
        .exitOverride()
        .configureOutput({ writeErr: () => {} })
      define(command, commandTree)
      command.action(() => {})
      assert.deepEqual([program, ...words.slice(0, path.length)], ['linkspan', ...path], example)
      command.parse(words.slice(path.length), { from: 'user' })
    }
  }
})

test('summaries are short, and no two commands of a group share a word', () => {
  const check = (tree: CommandTree) => {
    const words = Object.entries(tree).flatMap(([name, { aliases = [] }]) => [name, ...aliases])
    assert.equal(new Set(words).size, words.length, words.join(' '))
    for (const node of Object.values(tree)) {
      assert.match(node.summary, /^[A-Z].{5,110}[^.]$/)
      if (isGroup(node)) check(node.commands)
    }
  }
  check(commandTree)
})
