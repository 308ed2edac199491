import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseConfigFile, parseConfigFlags, readConfigFlags } from './kafka-config.ts'

const filters = '{"aclFilters":[{"resourceFilter":{"resourceType":"any"}}]}'

test('commas part pairs, and stay within values', () => {
  const cases: [string[], Record<string, string>][] = [
    [['a=1,b=2'], { a: '1', b: '2' }],
    [['include=a,b,c,ms=7'], { include: 'a,b,c', ms: '7' }],
    [['a=1', 'a=2'], { a: '2' }],
    [[' a = 1 '], { a: '1' }],
    [[`acl.filters={"a":[1,2]},ms=5`], { 'acl.filters': '{"a":[1,2]}', ms: '5' }],
    [[`"acl.filters=${filters.replaceAll('"', '""')}",ms=5`], { 'acl.filters': filters, ms: '5' }],
  ]
  for (const [flags, config] of cases) assert.deepEqual(parseConfigFlags(flags), config)
  assert.throws(() => parseConfigFlags(['a']), { code: 'usage', message: /Expected key=value or a file, got "a"/ })
  assert.throws(() => parseConfigFlags(['"a=1']), { code: 'usage', message: /quotation marks/ })
})

test('a file holds lines, comments and values over several lines', () => {
  const text = ['# a link', '', 'a = 1', 'b=x\\', '  y', `f=${filters.replace(':[', ':\\\n  [')}`, 't=1\\t2'].join('\n')
  assert.deepEqual(parseConfigFile(text), { a: '1', b: 'xy', f: filters, t: '1\t2' })
})

test('one flag can name a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-config-'))
  try {
    await writeFile(join(folder, 'link'), 'link.mode=SOURCE\n')
    assert.deepEqual(await readConfigFlags([join(folder, 'link')]), { 'link.mode': 'SOURCE' })
    assert.deepEqual(await readConfigFlags(), {})
    await assert.rejects(readConfigFlags([join(folder, 'none')]), { code: 'usage' })
    await assert.rejects(readConfigFlags([folder]), { code: 'usage', message: /Cannot read the config file/ })
  } finally {
    await rm(folder, { recursive: true })
  }
})
