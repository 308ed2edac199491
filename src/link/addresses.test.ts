import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isSameSet, readableAddresses } from './addresses.ts'

test('two lists of addresses are the same in whatever order', () => {
  const cases: [string[], string[], boolean][] = [
    [[], [], true],
    [['a:1'], ['a:1'], true],
    [['a:1', 'b:2'], ['b:2', 'a:1'], true],
    [['a:1', 'a:1'], ['a:1'], true],
    [['a:1'], ['a:1', 'b:2'], false],
    [['a:1', 'b:2'], ['a:1'], false],
    [['a:1'], ['b:2'], false],
    [[], ['a:1'], false],
    [['a:1'], [], false],
  ]
  for (const [one, other, same] of cases) assert.equal(isSameSet(one, other), same, `${one} | ${other}`)
})

test('what others say of addresses is brought into one form, and nonsense is passed over', () => {
  const told = ['10.0.0.1', '10.0.0.1:8443', ' h:1', 'h:1', '[::1]:8443', '::1', 'fd00::2', 'a_b.example:65535']
  assert.deepEqual(readableAddresses(told), [
    '10.0.0.1:8443',
    'h:1',
    '[::1]:8443',
    '[fd00::2]:8443',
    'a_b.example:65535',
  ])
  const nonsense = [
    '',
    ':1',
    'h:0',
    'h:65536',
    'h:x',
    'a,b:1',
    'https://h:1',
    'h:1/x',
    'h\n:1',
    '[h]:1',
    'ü:1',
    'x'.repeat(400),
  ]
  assert.deepEqual(readableAddresses(nonsense), [])
})

test('property: whatever is told, what is kept can be joined by commas and told apart again', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (texts) => {
      const kept = readableAddresses([...texts, ...texts.map((text) => `${text}:8443`)])
      assert.deepEqual(kept.join(',').split(',').filter(Boolean), kept)
      assert.deepEqual(readableAddresses(kept), kept)
    }),
  )
})
