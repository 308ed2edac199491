import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLinkspanError } from '../base/errors.ts'
import { findConfigKey } from '../contract/config-keys.ts'
import { normaliseValue } from '../contract/config-values.ts'
import { changedConfig } from './config.ts'
import type { LinkContext } from './context.ts'

/** The tables of LXD's own unit tests; names and lists of addresses have theirs beside what they test. */
const sealer = {} as LinkContext['sealer']
const stored = { 'volatile.addresses': '10.0.0.1:8443', 'user.a': '1' }
const id = 'e0f8a1a4-0000-4000-8000-000000000000'

function change(config: Record<string, string>, how: 'replace' | 'merge'): Record<string, string> | string {
  const options = { dialect: 'lxd', creating: false, replace: how === 'replace' } as const
  try {
    return changedConfig(sealer, { id, config: { ...stored } }, config, options)
  } catch (error) {
    assert.ok(isLinkspanError(error))
    return error.code
  }
}

test("keys of the daemon's own: a PUT repeats them, a PATCH may leave them out, neither changes one", () => {
  const addresses = { 'volatile.addresses': '10.0.0.1:8443' }
  const cases: [what: string, config: Record<string, string>, put: unknown, patch: unknown][] = [
    ['unchanged', { ...addresses }, { ...addresses }, stored],
    [
      'with a key of the user',
      { ...addresses, 'user.b': '2' },
      { ...addresses, 'user.b': '2' },
      { ...stored, 'user.b': '2' },
    ],
    ['left out', { 'user.a': '1' }, 'immutable', stored],
    ['emptied', { 'volatile.addresses': '' }, 'immutable', 'immutable'],
    ['changed', { 'volatile.addresses': '10.0.0.2:8443' }, 'immutable', 'immutable'],
    ['in another order and longer', { 'volatile.addresses': '10.0.0.1:8443,h:1' }, 'immutable', 'immutable'],
    ['added', { ...addresses, 'volatile.pending_address': 'h:1' }, 'immutable', 'immutable'],
    ['added, unknown', { ...addresses, 'volatile.other': 'x' }, 'invalid-config', 'invalid-config'],
    ['a key of the user taken away', { ...addresses, 'user.a': '' }, addresses, addresses],
  ]
  for (const [what, config, put, patch] of cases) {
    assert.deepEqual(change(config, 'replace'), put, `PUT ${what}`)
    assert.deepEqual(change(config, 'merge'), patch, `PATCH ${what}`)
  }
})

test('what a link may hold: lists of addresses with ports, keys of the user, and nothing unknown', () => {
  const good: [name: string, value: string][] = [
    ['volatile.addresses', '10.0.0.1:8443'],
    ['volatile.addresses', '10.0.0.1:8443,10.0.0.2:8443'],
    ['volatile.addresses', '[::1]:8443'],
    ['volatile.addresses', 'host.example:1,host.example:65535'],
    // LXD refuses an underscore; the names of containers often have one, and they can be dialled.
    ['volatile.addresses', 'my_host:8443'],
    ['user.anything', 'at all, ü: {}'],
    ['user.a.b-c_d', ''],
  ]
  for (const [name, value] of good) assert.equal(normaliseValue(findConfigKey(name)!, name, value), value)
  for (const value of ['10.0.0.1', 'h:65536', 'h:0', 'h:port', ':8443', '[::1]', 'h:1;h:2', 'a b:1']) {
    const name = 'volatile.addresses'
    assert.throws(() => normaliseValue(findConfigKey(name)!, name, value), { code: 'invalid-config' }, value)
  }
  for (const name of ['unknown', 'user.', 'user', 'volatile.other', 'addresses', '']) {
    assert.equal(findConfigKey(name), undefined, name)
  }
})
