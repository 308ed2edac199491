import assert from 'node:assert/strict'
import { isIPv4 } from 'node:net'
import { test } from 'node:test'
import { parseAddress } from '../transport/address.ts'
import { everyAddress, reachableAddresses } from './addresses.ts'

test('what tokens name', () => {
  assert.deepEqual(reachableAddresses({ host: '127.0.0.1', port: 5 }, []), ['127.0.0.1:5'])
  assert.deepEqual(reachableAddresses({ host: '::1', port: 5 }, []), ['[::1]:5'])
  assert.deepEqual(reachableAddresses({ host: '0.0.0.0', port: 5 }, ['a.test:9', 'b.test:0']), ['a.test:9', 'b.test:5'])
  for (const address of reachableAddresses({ host: '0.0.0.0', port: 5 }, [])) {
    const { host, port } = parseAddress(address)
    assert.ok(isIPv4(host) && !host.startsWith('127.') && port === 5, address)
  }
  for (const address of reachableAddresses({ host: '::', port: 5 }, [])) assert.ok(!/fe80|\[::1\]/.test(address))
})

type Interfaces = NonNullable<Parameters<typeof reachableAddresses>[2]>

function interfaces(named: Record<string, string[]>): Interfaces {
  const entries = Object.entries(named).map(([name, addresses]) => {
    return [name, addresses.map((address) => ({ address, internal: name === 'lo' }))]
  })
  return Object.fromEntries(entries) as Interfaces
}

test('of all addresses of a host, tokens name those that lead to it from elsewhere', () => {
  const host = interfaces({
    lo: ['127.0.0.1', '::1'],
    eth0: ['10.0.0.5', 'fe80::1', '2001:db8::5'],
    wg0: ['10.9.0.1', '169.254.3.4'],
    docker0: ['172.17.0.1'],
    'br-1f2e': ['172.18.0.1'],
    virbr0: ['192.168.122.1'],
  })
  const all = { host: '::', port: 5 }
  assert.deepEqual(reachableAddresses(all, [], host), ['10.0.0.5:5', '[2001:db8::5]:5', '10.9.0.1:5'])
  assert.deepEqual(reachableAddresses({ ...all, host: '0.0.0.0' }, [], host), ['10.0.0.5:5', '10.9.0.1:5'])
  assert.deepEqual(everyAddress({ ...all, host: '0.0.0.0' }, [], host).slice(2), [
    '172.17.0.1:5',
    '172.18.0.1:5',
    '192.168.122.1:5',
  ])
  assert.deepEqual(everyAddress({ ...all, host: '10.0.0.5' }, ['a.test:9'], host), ['a.test:9', '10.0.0.5:5'])
  const inner = interfaces({ lo: ['127.0.0.1'], docker0: ['172.17.0.1'] })
  assert.deepEqual(reachableAddresses(all, [], inner), ['172.17.0.1:5'], 'better than none')
  assert.deepEqual(reachableAddresses(all, [], interfaces({ lo: ['127.0.0.1'] })), [])
})
