import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LinkspanError } from '../base/errors.ts'
import { isRetriable, kafkaErrors, kafkaErrorTable } from '../wire/errors.ts'
import { kafkaCodeOf, kafkaFailure } from './failure.ts'
import { isConnectionFailure, retryStep } from './retry.ts'

const context = { operation: 'write to', resource: 'topic orders' }

test('errors of Kafka become ours, with operation, resource and Kafka\u2019s name', () => {
  for (const code of [29, 30, 31, 53, 58]) assert.equal(kafkaFailure(code, context).code, 'kafka-not-permitted')
  for (const code of [3, 100]) assert.equal(kafkaFailure(code, context).code, 'kafka-unknown-topic')
  for (const code of [6, 7, 14, 19]) assert.equal(kafkaFailure(code, context).code, 'kafka-retriable')
  for (const code of [-1, 1, 2000, 45]) assert.match(kafkaFailure(code, context).code, /^kafka$/)
  for (const code of [...kafkaErrorTable.keys(), 2000]) {
    const failure = kafkaFailure(code, context)
    assert.match(failure.message, /write to topic orders.*\(\w+\)/)
    assert.equal(kafkaCodeOf(failure), code)
    assert.equal(failure.details.kafkaName, kafkaErrorTable.get(code)?.name ?? 'ERROR_2000')
  }
})

test('a broker\u2019s words are escaped and cut', () => {
  const message = `\u001b]0;x\u0007${'y'.repeat(10_000)}`
  const failure = kafkaFailure(kafkaErrors.INVALID_CONFIG, { ...context, message })
  assert.doesNotMatch(failure.message, /[\u0000-\u001f]/)
  assert.ok(failure.message.length < 1000)
})

test('the retry table', () => {
  const steps = Object.fromEntries(
    [3, 6, 74, 75, 14, 15, 16, 7, 19, 0, 29, 45, 2, 2000].map((code) => [code, retryStep(code)]),
  )
  assert.deepEqual(steps, {
    0: 'none',
    2: 'none',
    3: 'leaders',
    6: 'leaders',
    7: 'wait',
    14: 'wait',
    15: 'coordinator',
    16: 'coordinator',
    19: 'wait',
    29: 'none',
    45: 'none',
    74: 'leaders',
    75: 'leaders',
    2000: 'none',
  })
  for (const code of kafkaErrorTable.keys()) {
    if (!isRetriable(code) && code !== kafkaErrors.REBOOTSTRAP_REQUIRED)
      assert.equal(retryStep(code), 'none', `${code}`)
  }
})

test('which errors mean the way, not the request', () => {
  for (const code of ['unreachable', 'timeout', 'closed'] as const) {
    assert.equal(isConnectionFailure(new LinkspanError(code, '')), true)
  }
  assert.equal(isConnectionFailure(new LinkspanError('wrong-fingerprint', '')), false)
  assert.equal(isConnectionFailure(new Error('bug')), false)
})
