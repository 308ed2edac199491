import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { scramLogin } from './scram.ts'

/** RFC 7677 §3. */
const vector = {
  login: { hash: 'sha256', username: 'user', password: 'pencil', nonce: 'rOprNGfwEbeRWgbNEkqO' },
  clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  clientFinal:
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
} as const

function server(answers: readonly string[], messages: string[] = []) {
  return async (message: Buffer) => {
    messages.push(message.toString())
    return Buffer.from(answers[messages.length - 1] ?? '')
  }
}

test('SCRAM-SHA-256 says what RFC 7677 says', async () => {
  const messages: string[] = []
  await scramLogin(vector.login, server([vector.serverFirst, vector.serverFinal], messages))
  assert.deepEqual(messages, [vector.clientFirst, vector.clientFinal])
})

test('SCRAM-SHA-512 convinces a server that only knows the stored keys', async () => {
  const salt = Buffer.from('0123456789abcdef')
  const salted = pbkdf2Sync('pässword', salt, 8192, 64, 'sha512')
  const clientKey = createHmac('sha512', salted).update('Client Key').digest()
  const storedKey = createHash('sha512').update(clientKey).digest()
  const serverKey = createHmac('sha512', salted).update('Server Key').digest()
  let clientFirst = ''
  let serverFirst = ''
  const step = async (message: Buffer) => {
    const text = message.toString()
    if (serverFirst === '') {
      clientFirst = text.slice('n,,'.length)
      serverFirst = `r=${clientFirst.split(',r=')[1]}more,s=${salt.toString('base64')},i=8192`
      return Buffer.from(serverFirst)
    }
    const [withoutProof = '', proof64 = ''] = text.split(',p=')
    const signed = `${clientFirst},${serverFirst},${withoutProof}`
    const signature = createHmac('sha512', storedKey).update(signed).digest()
    const recovered = Buffer.from(proof64, 'base64').map((byte, index) => byte ^ signature[index]!)
    assert.deepEqual(createHash('sha512').update(recovered).digest(), storedKey)
    return Buffer.from(`v=${createHmac('sha512', serverKey).update(signed).digest('base64')}`)
  }
  await scramLogin({ hash: 'sha512', username: 'a,b=c', password: 'pässword' }, step)
  assert.match(clientFirst, /^n=a=2Cb=3Dc,r=/)
})

test('a server that does not know the password is not believed', async () => {
  const wrong = vector.serverFinal.replace('v=6', 'v=7')
  await assert.rejects(scramLogin(vector.login, server([vector.serverFirst, wrong])), (error: Error) => {
    assert.equal((error as { code?: string }).code, 'not-trusted')
    assert.doesNotMatch(error.message, /pencil/)
    return true
  })
})

test('what a server may not say', async (t) => {
  const bad: Record<string, string[]> = {
    'too few iterations': [vector.serverFirst.replace('i=4096', 'i=4095')],
    'iterations that would take minutes': [vector.serverFirst.replace('i=4096', 'i=1000001')],
    'a nonce that is not ours': [vector.serverFirst.replace('r=rOp', 'r=xOp')],
    'our nonce without an addition': [vector.serverFirst.replace('%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0', '')],
    'nothing readable': ['hello'],
    'a message of megabytes': ['r='.padEnd(1 << 20, 'x')],
    'an error at the end': [vector.serverFirst, 'e=invalid-proof'],
  }
  for (const [name, answers] of Object.entries(bad)) {
    await t.test(name, async () => {
      await assert.rejects(scramLogin(vector.login, server(answers)), { code: 'malformed' })
    })
  }
})

test('whatever a server says ends in an error of ours', async () => {
  const part = fc.oneof(
    fc.constantFrom('r=', 's=', 'i=', 'v=', ',', '4096', '=', 'QUJD', vector.login.nonce, vector.serverFirst),
    fc.string({ unit: 'binary', maxLength: 8 }),
  )
  const message = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''))
  await fc.assert(
    fc.asyncProperty(message, message, async (first, last) => {
      await assert.rejects(scramLogin(vector.login, server([first, last])), { name: 'LinkspanError' })
    }),
    { numRuns: 300 },
  )
})
