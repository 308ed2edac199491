import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRetriable, kafkaErrorDescription, kafkaErrorName, kafkaErrors, kafkaErrorTable } from './errors.ts'

test('codes, names and Kafka’s judgement on retrying go together', () => {
  assert.equal(kafkaErrors.NOT_LEADER_OR_FOLLOWER, 6)
  assert.equal(kafkaErrorName(6), 'NOT_LEADER_OR_FOLLOWER')
  assert.equal(isRetriable(6), true)
  assert.equal(isRetriable(kafkaErrors.TOPIC_AUTHORIZATION_FAILED), false)
  assert.equal(kafkaErrorName(-1), 'UNKNOWN_SERVER_ERROR')
  const codes = [...kafkaErrorTable.keys()]
  assert.deepEqual(codes, [-1, ...Array.from({ length: 134 }, (_, code) => code)])
})

test('a code of the future has a name and words, and is not retried', () => {
  assert.equal(kafkaErrorName(999), 'ERROR_999')
  assert.equal(isRetriable(999), false)
  assert.ok(kafkaErrorDescription(999).length > 0)
})

test('descriptions are clauses, each its own', () => {
  const texts = [...kafkaErrorTable.values()].map(({ description }) => description)
  for (const text of texts) assert.match(text, /^[a-z].*[^.]$/)
  assert.equal(new Set(texts).size, texts.length)
})
