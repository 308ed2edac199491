import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PumpPartition } from './partition.ts'
import type { StartPartition } from './protocol.ts'
import { DrainWatch, oldBeforeMs } from './quarantine.ts'
import { pumpDefaults } from './settings.ts'

test('a log end that reaches all that was sent needs no grace; any other has to stand still', () => {
  const known = new DrainWatch(3000, 100)
  assert.equal(known.observe(60, 0), false)
  assert.equal(known.observe(99, 2999), false)
  assert.equal(known.observe(99, 5998), false)
  assert.equal(known.observe(100, 5999), true)
  const unknown = new DrainWatch(3000, undefined)
  assert.equal(unknown.observe(60, 0), false)
  assert.equal(unknown.observe(61, 2900), false)
  assert.equal(unknown.observe(61, 5899), false)
  assert.equal(unknown.observe(61, 5900), true)
})

test('old is what the broker may forget before we are done with it', () => {
  const day = 86_400_000
  const nowMs = 10 * day
  assert.equal(oldBeforeMs({ ...pumpDefaults, producerExpirationMs: day }, nowMs), 9 * day + 3_600_000)
  assert.equal(oldBeforeMs({ ...pumpDefaults, producerExpirationMs: 60_000 }, nowMs), nowMs - 30_000)
})

test('what is not known stays unknown through further doubts, and a known end only grows', () => {
  const names = { sourceTopic: 't', sourceTopicId: 's', topic: 't', topicId: 'd' }
  const start: StartPartition = { kind: 'startPartition', linkId: 'l', mirrorId: '6f1b', partition: 0, ...names }
  const partition = new PumpPartition(start)
  partition.beginQuarantine(50)
  partition.beginQuarantine(40)
  assert.equal(partition.quarantineEnd, 50)
  partition.beginQuarantine(undefined)
  partition.beginQuarantine(60)
  assert.equal(partition.quarantineEnd, undefined)
  partition.quarantineUntilMs = 1000
  partition.prolongQuarantine(999)
  assert.equal(partition.quarantineUntilMs, Number.POSITIVE_INFINITY)
  partition.quarantineUntilMs = 1000
  partition.prolongQuarantine(1000)
  assert.equal(partition.quarantineUntilMs, 0)
})
