import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parse } from 'yaml'
import { csvText, yamlText } from './data.ts'

test('fields are quoted where they have to be', () => {
  assert.equal(csvText([['a', 'b c', 'd,e', 'f"g', 'h\ni', ' j', '']]), 'a,b c,"d,e","f""g","h\ni"," j",')
})

test('lists in YAML are not indented, long texts not folded', async () => {
  const text = await yamlText({ groups: ['a', 'b'], empty: [], none: {}, long: 'x '.repeat(60).trim(), answer: 'yes' })
  assert.equal(text, `groups:\n- a\n- b\nempty: []\nnone: {}\nlong: ${'x '.repeat(60).trim()}\nanswer: yes`)
})

test('what is written as YAML is read back', async () => {
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string(), fc.string()), async (config) => {
      assert.deepEqual({ ...parse(await yamlText({ config })).config }, { ...config })
    }),
  )
})
