import assert from 'node:assert/strict'
import { isIPv4 } from 'node:net'
import { test } from 'node:test'
import { parseAddress } from '../transport/address.ts'
import { reachableAddresses } from './addresses.ts'

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
