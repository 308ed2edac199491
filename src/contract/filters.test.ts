import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isLinkspanError } from '../base/errors.ts'
import {
  type AclBinding,
  aclSelected,
  nameSelected,
  parseAclFilters,
  parseGroupFilters,
  parseTopicFilters,
} from './filters.ts'

const groupFilters = (...filters: [name: string, pattern: string, filter: string][]) => {
  const list = filters.map(([name, patternType, filterType]) => ({ name, patternType, filterType }))
  return parseGroupFilters(JSON.stringify({ groupFilters: list }, null, '\t '))
}

const acl = (parts: Partial<AclBinding> = {}): AclBinding => ({
  resourceType: 'TOPIC',
  patternType: 'LITERAL',
  name: 'orders',
  principal: 'User:a',
  operation: 'READ',
  permissionType: 'ALLOW',
  host: '*',
  ...parts,
})

const aclFilters = (resource: object, access: object = {}) => {
  const accessFilter = { operation: 'any', permissionType: 'any', ...access }
  return parseAclFilters(JSON.stringify({ aclFilters: [{ resourceFilter: resource, accessFilter }] }))
}

test('an exclusion wins wherever it stands, and without an inclusion nothing is selected', () => {
  const filters = groupFilters(['app-secret', 'LITERAL', 'exclude'], ['app-', 'prefixed', 'INCLUDE'])
  assert.ok(nameSelected(filters, 'app-one'))
  assert.ok(!nameSelected(filters, 'app-secret'))
  assert.ok(!nameSelected(filters, 'other'))
  assert.ok(!nameSelected(groupFilters(['x', 'LITERAL', 'EXCLUDE']), 'y'))
  assert.ok(nameSelected(groupFilters(['*', 'literal', 'include']), 'anything'))
  assert.ok(!nameSelected(groupFilters(['*', 'prefixed', 'include']), 'anything'))
  assert.deepEqual(parseTopicFilters('  '), [])
})

test('ACL filters select as Kafka does', () => {
  const prefixed = acl({ patternType: 'PREFIXED', name: 'ord' })
  const wildcard = acl({ name: '*' })
  const literal = aclFilters({ resourceType: 'topic', patternType: 'literal', name: 'orders' })
  assert.deepEqual(
    [acl(), prefixed, wildcard].map((one) => aclSelected(literal, one)),
    [true, false, false],
  )
  const match = aclFilters({ resourceType: 'any', patternType: 'match', name: 'orders' })
  assert.deepEqual(
    [acl(), prefixed, wildcard].map((one) => aclSelected(match, one)),
    [true, true, true],
  )
  assert.ok(!aclSelected(match, acl({ name: 'other' })))
  const access = aclFilters(
    { resourceType: 'transactionalID', patternType: 'any' },
    { operation: 'describeConfigs', principal: 'User:a' },
  )
  assert.ok(aclSelected(access, acl({ resourceType: 'TRANSACTIONAL_ID', operation: 'DESCRIBE_CONFIGS' })))
  assert.ok(!aclSelected(access, acl({ resourceType: 'TRANSACTIONAL_ID', operation: 'READ' })))
})

test('errors say what is wrong where', () => {
  const message = (text: string) => {
    try {
      parseGroupFilters(text)
      return ''
    } catch (error) {
      assert.ok(isLinkspanError(error, 'invalid-config'))
      return error.message
    }
  }
  assert.match(message('{“groupFilters”: []}'), /typographic quote “/)
  assert.match(message('{"topicFilters": []}'), /needs one list, "groupFilters"/)
  assert.match(message('{"groupFilters": [{}]}'), /filter 1 needs "name"/)
  assert.match(
    message('{"groupFilters": [{"name":"a","patternType":"glob","filterType":"INCLUDE"}]}'),
    /"patternType", one of LITERAL, PREFIXED/,
  )
  assert.match(message('{"groupFilters": [], "more": 1}'), /unknown member "more"/)
  assert.match(message('{"groupFilters": '), /is not JSON/)
  assert.match(message('[]'), /is not an object/)
})

test('whatever the text, it is parsed or refused', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      for (const parse of [parseGroupFilters, parseAclFilters]) {
        try {
          assert.ok(Array.isArray(parse(text)))
        } catch (error) {
          assert.ok(isLinkspanError(error, 'invalid-config'))
        }
      }
    }),
  )
})
