import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSealer, isSealed, openSealer } from './sealing.ts'

const key = Buffer.alloc(32, 7)

test('property: what was sealed opens in its own place only, unchanged only', () => {
  const sealer = createSealer(key, 'seal.key')
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(text, text, text, fc.nat(), (plain, place, otherPlace, position) => {
      const sealed = sealer.seal(plain, place)
      assert.ok(isSealed(sealed))
      assert.equal(sealer.unseal(sealed, place), plain.toWellFormed())
      if (place.toWellFormed() !== otherPlace.toWellFormed()) {
        assert.throws(() => sealer.unseal(sealed, otherPlace), { code: 'corrupt' })
      }
      const bytes = Buffer.from(sealed.slice('sealed:1:00000000:'.length), 'base64url')
      bytes[position % bytes.length]! ^= 1
      const changed = sealed.slice(0, 'sealed:1:00000000:'.length) + bytes.toString('base64url')
      assert.throws(() => sealer.unseal(changed, place), { code: 'corrupt', message: /changed or moved/ })
    }),
  )
})

test('the same value is never sealed to the same text', () => {
  const sealer = createSealer(key, 'seal.key')
  assert.notEqual(sealer.seal('a', 'link/1'), sealer.seal('a', 'link/1'))
})

test('another key, an unknown form and a cut value say what they are', () => {
  const sealed = createSealer(key, 'seal.key').seal('secret', 'link/1/password')
  const other = createSealer(Buffer.alloc(32, 8), '/state/seal.key')
  const refused = (text: string, message: RegExp) =>
    assert.throws(() => other.unseal(text, 'link/1/password'), { code: 'corrupt', message })
  refused(sealed, /link\/1\/password was sealed under another key than that of \/state\/seal\.key.*restore/)
  refused('secret', /not in a form/)
  refused('sealed:2:00000000:AAAA', /not in a form/)
  refused(sealed.slice(0, 30), /not in a form/)
})

test('the key file is made once for the owner alone; a damaged one is refused and kept', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'linkspan-seal-'))
  context.after(() => rm(directory, { recursive: true }))
  const path = join(directory, 'seal.key')
  const sealed = (await openSealer(directory)).seal('secret', 'x')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.equal((await openSealer(directory)).unseal(sealed, 'x'), 'secret')
  for (const damaged of ['', 'abc', (await readFile(path, 'utf8')).slice(0, 40), 'z'.repeat(64)]) {
    await writeFile(path, damaged)
    await assert.rejects(openSealer(directory), { code: 'corrupt', message: /seal\.key is damaged/ })
    assert.equal(await readFile(path, 'utf8'), damaged)
  }
})
