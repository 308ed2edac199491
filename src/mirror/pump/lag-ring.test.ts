import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LagRing } from './lag-ring.ts'

test('the age is that of the oldest high watermark that is not confirmed', () => {
  const ring = new LagRing()
  assert.equal(ring.ageMs(1000), 0)
  ring.see(10, 1000)
  ring.see(20, 1100)
  assert.equal(ring.ageMs(1250), 250)
  ring.confirm(9)
  assert.equal(ring.ageMs(1250), 250)
  ring.confirm(10)
  assert.equal(ring.ageMs(1250), 150)
  ring.confirm(20)
  assert.equal(ring.ageMs(9000), 0)
  ring.see(20, 9000)
  assert.equal(ring.ageMs(9500), 0)
})

test('however many are seen, the age is never too small, and never more than the whole time', () => {
  const steps = fc.array(
    fc.record({ records: fc.nat(50), ms: fc.integer({ min: 0, max: 40 }), confirmed: fc.nat(60) }),
    { maxLength: 1500 },
  )
  fc.assert(
    fc.property(steps, (all) => {
      const ring = new LagRing()
      const seen: { end: number; ms: number }[] = []
      let end = 0
      let nowMs = 0
      let confirmed = 0
      for (const step of all) {
        nowMs += step.ms
        end += step.records
        if (step.records > 0) seen.push({ end, ms: nowMs })
        ring.see(end, nowMs)
        confirmed = Math.min(end, confirmed + step.confirmed)
        ring.confirm(confirmed)
        const oldest = seen.find((one) => one.end > confirmed)
        const age = oldest ? nowMs - oldest.ms : 0
        assert.ok(ring.ageMs(nowMs) >= age, `${ring.ageMs(nowMs)} < ${age}`)
        assert.ok(ring.ageMs(nowMs) <= nowMs)
        if (!oldest) assert.equal(ring.ageMs(nowMs), 0)
      }
    }),
    { numRuns: 50 },
  )
})
