import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scramLogin } from '../../../kafka/scram.ts'
import { saslMechanisms } from '../../config.ts'
import { ServerLogin } from './login.ts'
import { PlainExchange } from './plain.ts'
import { ScramExchange } from './scram.ts'
import { SaslUsers } from './users.ts'

const people = [
  { name: 'alice', password: 'secret of alice' },
  { name: 'a,b=c', password: 'päss=wörd,' },
]
const users = await SaslUsers.derive(people, saslMechanisms)

function newLogin(): ServerLogin {
  return new ServerLogin({ mechanisms: saslMechanisms, users, failureDelayMs: 1 })
}

function scramStep(exchange: ScramExchange): (message: Buffer) => Promise<Uint8Array> {
  return async (message) => {
    const step = exchange.step(message)
    if (step.kind === 'failed') throw new Error(step.message)
    return step.answer
  }
}

test('our client and our server agree on SCRAM, odd names included', async () => {
  for (const [mechanism, hash] of [
    ['SCRAM-SHA-256', 'sha256'],
    ['SCRAM-SHA-512', 'sha512'],
  ] as const) {
    for (const { name, password } of people) {
      const exchange = new ScramExchange(users, mechanism, hash)
      await scramLogin({ hash, username: name, password }, scramStep(exchange))
      const wrong = scramLogin(
        { hash, username: name, password: `${password}x` },
        scramStep(new ScramExchange(users, mechanism, hash)),
      )
      await assert.rejects(wrong, /invalid credentials with SASL mechanism SCRAM/)
    }
    // The proof is that of nobody's salt and must fail, though it is computed rightly.
    const nobody = scramLogin(
      { hash, username: 'nobody', password: '' },
      scramStep(new ScramExchange(users, mechanism, hash)),
    )
    await assert.rejects(nobody, /invalid credentials/)
  }
})

test('the salt of an unknown name stays the same, as a known one does', () => {
  const saltOf = (name: string) => {
    const step = new ScramExchange(users, 'SCRAM-SHA-256', 'sha256').step(Buffer.from(`n,,n=${name},r=abc`))
    return step.kind === 'more' ? /s=([^,]+),i=4096$/.exec(step.answer.toString())?.[1] : undefined
  }
  for (const name of ['alice', 'nobody']) {
    assert.equal(saltOf(name), saltOf(name))
    assert.equal(Buffer.from(saltOf(name)!, 'base64').length, 16)
  }
  assert.notEqual(saltOf('alice'), saltOf('nobody'))
})

test('SCRAM messages that are none are refused like a wrong password', () => {
  const begun = () => {
    const exchange = new ScramExchange(users, 'SCRAM-SHA-256', 'sha256', 'own')
    assert.equal(exchange.step(Buffer.from('n,,n=alice,r=abc')).kind, 'more')
    return exchange
  }
  const firsts = [
    '',
    'x',
    'y,,n=alice,r=abc',
    'p=x,,n=alice,r=abc',
    'n,a=bob,n=alice,r=abc',
    'n,,n=al=2ice,r=a',
    'n,,n=,r=abc',
  ]
  for (const first of firsts) {
    assert.equal(new ScramExchange(users, 'SCRAM-SHA-256', 'sha256').step(Buffer.from(first)).kind, 'failed', first)
  }
  const proof = Buffer.alloc(32).toString('base64')
  for (const final of [
    '',
    'c=biws,r=abcown',
    `c=biws,r=abc,p=${proof}`,
    `c=eSws,r=abcown,p=${proof}`,
    'c=biws,r=abcown,p=AAAA',
  ]) {
    assert.equal(begun().step(Buffer.from(final)).kind, 'failed', final)
  }
  assert.equal(new ScramExchange(users, 'SCRAM-SHA-256', 'sha256').step(Buffer.alloc(9000, 0x61)).kind, 'failed')
  assert.equal(new ScramExchange(users, 'SCRAM-SHA-256', 'sha256').step(Buffer.from([0xff, 0xfe])).kind, 'failed')
})

test('an authorization name of oneself and extensions are taken', () => {
  const exchange = new ScramExchange(users, 'SCRAM-SHA-512', 'sha512')
  const step = exchange.step(Buffer.from('n,a=alice,n=alice,r=abc,ext=1'))
  assert.ok(step.kind === 'more' && step.answer.toString().startsWith('r=abc'))
})

test('PLAIN: name and password, and nobody for another', () => {
  const kindOf = (text: string) => new PlainExchange(users).step(Buffer.from(text)).kind
  assert.equal(kindOf('\0alice\0secret of alice'), 'done')
  assert.equal(kindOf('alice\0alice\0secret of alice'), 'done')
  for (const wrong of [
    'bob\0alice\0secret of alice',
    '\0alice\0wrong',
    '\0nobody\0',
    '\0nobody\0secret of alice',
    '\0\0',
    '',
    '\0alice\0secret of alice\0',
    'alice',
  ]) {
    assert.equal(kindOf(wrong), 'failed', JSON.stringify(wrong))
  }
})

test('a login begins with a handshake, ends with a failure, and is never that of another', async () => {
  const early = newLogin()
  assert.deepEqual(await early.step(Buffer.from('\0alice\0secret of alice')), {
    ok: false,
    error: 'ILLEGAL_SASL_STATE',
    message: 'SaslHandshake has to name a mechanism first',
  })
  assert.ok(early.failed)
  const unknown = newLogin()
  assert.ok(!unknown.begin('GSSAPI') && unknown.failed)

  const login = newLogin()
  assert.ok(login.begin('PLAIN'))
  assert.ok((await login.step(Buffer.from('\0alice\0secret of alice'))).ok)
  assert.equal(login.user, 'alice')
  assert.ok(login.begin('PLAIN'))
  assert.ok((await login.step(Buffer.from('\0alice\0secret of alice'))).ok, 'the same user again')
  assert.ok(login.begin('PLAIN'))
  const other = await login.step(Buffer.from('\0a,b=c\0päss=wörd,'))
  assert.ok(!other.ok && other.error === 'SASL_AUTHENTICATION_FAILED' && login.failed)
  assert.equal(login.user, 'alice')
})
