import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { createCertificate, fingerprintOf } from '../identity/certificate.ts'
import { followSteps, signSuccession } from './succession-rows.ts'

async function makePair() {
  const pems = await createCertificate({ commonName: 'x', hostNames: [], addresses: [], clock: systemClock })
  return { ...pems, fingerprint: fingerprintOf(pems.certificatePem) }
}

const [first, second, third, other] = await Promise.all([makePair(), makePair(), makePair(), makePair()])
const at = (generation: number) => ({ generation, nowMs: 0 })
const steps = [signSuccession(second, third, at(2)), signSuccession(first, second, at(1))]

test('a pin leads to its successor, over as many steps as there were', () => {
  const { certificatePem } = first
  assert.deepEqual(followSteps(certificatePem, third.fingerprint, steps), {
    certificatePem: third.certificatePem,
    generation: 2,
  })
  assert.equal(followSteps(certificatePem, second.fingerprint, steps)?.certificatePem, second.certificatePem)
  assert.equal(followSteps(certificatePem, first.fingerprint, steps), undefined, 'it is the same')
})

test('a step that the pinned key did not sign leads nowhere', () => {
  const wanted = other.fingerprint
  const forged = { ...signSuccession(other, other, at(1)), previous: first.fingerprint }
  const changed = { ...signSuccession(first, second, at(1)), certificate: other.certificatePem }
  const raised = { ...signSuccession(first, other, at(1)), generation: 9 }
  const nonsense = { ...signSuccession(first, other, at(1)), signature: 'zz' }
  const broken = { ...signSuccession(first, other, at(1)), certificate: 'none' }
  for (const step of [forged, changed, raised, nonsense, broken]) {
    assert.equal(followSteps(first.certificatePem, wanted, [step]), undefined)
  }
})

test('circles end, and generations do not go back', () => {
  const circle = [signSuccession(first, second, at(1)), signSuccession(second, first, at(1))]
  assert.equal(followSteps(first.certificatePem, third.fingerprint, circle), undefined)
  const back = [signSuccession(first, second, at(3)), signSuccession(second, third, at(2))]
  assert.equal(followSteps(first.certificatePem, third.fingerprint, back), undefined)
})
