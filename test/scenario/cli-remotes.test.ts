import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { decodeToken, encodeToken, type TrustToken } from '../../src/identity/trust-token.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import type { RunResult } from '../support/process.ts'
import { cli } from '../support/sites.ts'

let a: Daemon
let b: Daemon
/** One person's seat: whose remotes, pins and certificate these are. */
let seat: string
let people = 0

before(async () => {
  ;[a, b] = await Promise.all([startDaemon({ name: 'a' }), startDaemon({ name: 'b' })])
  await cli(b, 'auth group create admins2')
  await cli(b, 'auth group permission add admins2 server admin')
})

after(async () => {
  await Promise.all([a?.[Symbol.asyncDispose](), b?.[Symbol.asyncDispose]()])
})

beforeEach(async () => {
  seat = await mkdtemp(join(tmpdir(), 'linkspan-seat-'))
})

afterEach(() => rm(seat, { recursive: true }))

/** At this seat, with `a` for the daemon of this machine. */
function run(line: string, options: { input?: string; env?: Record<string, string> } = {}): Promise<RunResult> {
  const { env, ...others } = options
  return a.cli(line.split(' '), { ...others, env: { LINKSPAN_CONF: seat, ...env } })
}

async function out(line: string, options?: Parameters<typeof run>[1]): Promise<string> {
  const { code, stdout, stderr } = await run(line, options)
  assert.equal(code, 0, `linkspan ${line}: ${stderr}`)
  return stdout
}

async function tokenOf(daemon: Daemon, change: Partial<TrustToken> = {}): Promise<string> {
  people += 1
  const token = (await cli(daemon, `auth identity create tls/person${people} --group admins2 -q`)).trim()
  return encodeToken({ ...decodeToken(token), ...change })
}

const identityOf = async () => (await b.client.identities.get(`person${people}`)).value
const leftBehind = async () =>
  (await readdir(seat, { recursive: true })).filter((path) => !path.endsWith('servercerts'))

test('a token makes a remote, by which every command reaches the daemon', async () => {
  const token = await tokenOf(b)
  assert.equal(await out(`remote add b ${token}`), 'Remote b added\n')
  for (const file of ['config.yml', 'client.crt', 'client.key', 'servercerts/b.crt']) {
    assert.equal((await stat(join(seat, file))).mode & 0o777, 0o600, file)
  }
  const certificate = new X509Certificate(await readFile(join(seat, 'client.crt')))
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'secp384r1')
  const pin = new X509Certificate(await readFile(join(seat, 'servercerts/b.crt')))
  assert.equal(pin.fingerprint256.replaceAll(':', '').toLowerCase(), b.ready.fingerprint)
  assert.equal((await identityOf()).type, 'Client certificate')

  await out('auth group create b:made-from-afar')
  assert.equal((await b.client.groups.get('made-from-afar')).value.name, 'made-from-afar')
  await out('auth group permission add b:made-from-afar topic orders can_read')
  assert.match(await out('auth group show b:made-from-afar'), /url: \/1.0\/topics\/orders/)
  assert.match(await out('auth identity info b:'), /\nname: person\d+\n/)
  assert.match(await out('query b:/1.0/auth/groups'), /made-from-afar/)
  assert.match(await out('status b:'), /^Server: b /)
  assert.match(await out('version --remote b'), /Server version: \d/)
  assert.match(await out('operation list b: -f csv'), /^$/)
  assert.doesNotMatch(await out('auth group list -f csv'), /made-from-afar/)
})

test('remotes that are added at the same time are all there, with one certificate', async () => {
  const tokens = [await tokenOf(b), await tokenOf(b), await tokenOf(b), await tokenOf(b)]
  const results = await Promise.all(tokens.map((token, index) => run(`remote add b${index} ${token}`)))
  assert.deepEqual(
    results.map(({ code }) => code),
    [0, 0, 0, 0],
    results.map(({ stderr }) => stderr).join(''),
  )
  assert.match(await out('remote list -f csv'), /^b0,.*\nb1,.*\nb2,.*\nb3,.*\nlocal/)
  assert.match(await out('query b3:/1.0'), /"auth": "trusted"/)
})

test('a certificate that is known there needs no second token', async () => {
  await out(`remote add b ${await tokenOf(b)}`)
  const spare = await tokenOf(b)
  const again = await run(`remote add b2 --token ${spare}`)
  assert.deepEqual([again.code, again.stdout], [0, 'Remote b2 added\n'])
  assert.match(again.stderr, /knows your certificate already: the token was not used/)
  assert.equal((await identityOf()).type, 'Client certificate (pending)')
  const taken = await run(`remote add b ${spare}`)
  assert.deepEqual([taken.code, /There is a remote "b" already/.test(taken.stderr)], [1, true])
})

test('the secret never goes to another daemon, and a failure leaves nothing behind', async () => {
  const elsewhere = await tokenOf(b, { addresses: [a.ready.https] })
  const cases: [string, number, RegExp][] = [
    [elsewhere, 1, /another certificate .*not the daemon that is meant, so nothing was sent/],
    [await tokenOf(b, { addresses: ['127.0.0.1:1'] }), 3, /No address answers: .*nothing listens there/],
    [await tokenOf(b, { secret: '00'.repeat(32) }), 1, /no pending|token/i],
    [(await cli(b, `cluster link create pending${people} -q`)).trim(), 1, /This token links clusters/],
  ]
  for (const [token, code, pattern] of cases) {
    const result = await run(`remote add b ${token}`)
    assert.deepEqual([result.code, result.stdout], [code, ''], result.stderr)
    assert.match(result.stderr, pattern)
    assert.deepEqual(await leftBehind(), [])
  }
  const nameless = await run(`remote add ${elsewhere}`)
  assert.deepEqual([nameless.code, nameless.stderr.includes(elsewhere)], [2, false])
  assert.match(nameless.stderr, /Name the remote first/)
  const { stderr } = await run(`remote add b --accept-certificate ${elsewhere}`)
  assert.match(stderr, /leave --accept-certificate out/)
})

test('an address shows its fingerprint, asks, and then asks for the token', async () => {
  const add = (input: string, words = '') => run(`remote add b ${b.ready.https}${words}`, { input })
  const cases: [string, number, RegExp][] = [
    ['n\n', 4, /not accepted: no remote was added/],
    ['', 4, /not accepted/],
    [`${'00'.repeat(32)}\n`, 1, /The fingerprint that was typed is another one/],
    ['y\n', 4, /there is no token/],
    [`y\n${await tokenOf(b, { fingerprint: a.ready.fingerprint })}\n`, 1, /made by another daemon/],
  ]
  for (const [input, code, pattern] of cases) {
    const result = await add(input)
    assert.deepEqual([result.code, result.stdout], [code, ''], result.stderr)
    assert.match(result.stderr, new RegExp(`Certificate fingerprint: ${b.ready.fingerprint}`))
    assert.match(result.stderr, pattern)
    assert.deepEqual(await leftBehind(), [])
  }
  assert.equal((await add(`${b.ready.fingerprint}\n${await tokenOf(b)}\n`)).stdout, 'Remote b added\n')
  await out('remote remove b')
  assert.equal((await add('', ' --accept-certificate')).stdout, 'Remote b added\n')
})

test('all addresses are remembered, and those that are dead are passed over', async () => {
  const dead = '127.0.0.1:1'
  await out(`remote add b ${await tokenOf(b, { addresses: [dead, b.ready.https] })}`)
  assert.match(await out('remote list -f json'), new RegExp(`"https://${b.ready.https}","https://${dead}"`))
  await out(`remote add b2 ${await tokenOf(b, { addresses: [a.ready.https, b.ready.https] })}`)
  assert.doesNotMatch(await out('remote list -f csv'), new RegExp(a.ready.https))
  await out(`remote set-url b: https://${dead},${b.ready.https}/`)
  assert.match(await out('query b:/1.0'), /"auth": "trusted"/)
  // Takes connections and says nothing.
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  await out(`remote set-url b 127.0.0.1:${(silent.address() as AddressInfo).port},${b.ready.https}`)
  const startMs = performance.now()
  await out('query b:/1.0')
  assert.ok(performance.now() - startMs < 4000, 'no time-out is waited for')
  silent.close()
  await out(`remote set-url b ${dead}`)
  const result = await run('cluster link list b:')
  assert.deepEqual([result.code, result.stdout], [3, ''])
  assert.match(
    result.stderr,
    /^Error: Remote "b" cannot be reached: Cannot connect to 127.0.0.1:1: nothing listens there/,
  )
})

test('the default remote is switched, renamed and not removed; the environment wins', async () => {
  const serverName = async (line: string, env: Record<string, string> = {}) => {
    return JSON.parse(await out(`query ${line}`, { env })).environment.server_name
  }
  await out(`remote add b ${await tokenOf(b)}`)
  assert.equal(await out('remote get-default'), 'local\n')
  assert.equal(await out('remote switch b:'), 'Default remote is now b\n')
  assert.equal(await serverName('/1.0'), 'b')
  assert.equal(await serverName('local:/1.0'), 'a')
  assert.equal(await serverName('/1.0', { LINKSPAN_REMOTE: 'local' }), 'a')
  assert.equal(await serverName(`/1.0 --state-dir ${a.stateDir}`), 'a')
  assert.equal(await out('remote rename b berlin'), 'Remote b renamed to berlin\n')
  assert.equal(await out('remote get-default'), 'berlin\n')
  assert.equal(await serverName('/1.0'), 'b')
  assert.match(await out('remote list -f csv'), /^berlin \(current\),https:\/\/127.0.0.1:\d+,lxd,tls,NO,NO\nlocal,unix/)
  const refusals: [string, number, RegExp][] = [
    ['remote remove berlin', 1, /is the default one: switch to another first/],
    ['remote remove local', 2, /no remote to remove/],
    ['remote rename berlin local', 2, /choose another name/],
    ['remote rename none x', 2, /There is no remote "none"/],
    ['remote switch none', 2, /There is no remote "none"/],
    ['remote add a/b 127.0.0.1:1', 2, /cannot be the name of a remote/],
    ['remote add c', 2, /Give a token or an address/],
    ['cluster link list none:', 2, /There is no remote "none": "linkspan remote list" shows/],
    ['cluster link list berlin: --remote local', 2, /Two remotes are named/],
    ['remote generate-certificate', 1, /There is a certificate already/],
  ]
  for (const [line, code, pattern] of refusals) {
    const result = await run(line)
    assert.deepEqual([result.code, result.stdout], [code, ''], `${line}: ${result.stderr}`)
    assert.match(result.stderr, pattern)
  }
  await out('remote switch local')
  assert.equal(await out('remote remove berlin'), 'Remote berlin removed\n')
  assert.deepEqual((await leftBehind()).toSorted(), ['client.crt', 'client.key', 'config.yml'])
})

test('a certificate that changed is refused until it is accepted', async () => {
  await out(`remote add b ${await tokenOf(b)}`)
  await cp(join(a.stateDir, 'cluster.crt'), join(seat, 'servercerts/b.crt'))
  const refused = await run('cluster link list b:')
  assert.deepEqual([refused.code, refused.stdout], [1, ''])
  assert.match(refused.stderr, /^Error: Nothing was sent to remote "b": .*another certificate.*update-certificate b"/)
  assert.match((await run('remote update-certificate b', { input: 'n\n' })).stderr, /the pin is as it was/)
  assert.equal((await run('cluster link list b:')).code, 1)
  const accepted = await run('remote update-certificate b', { input: `${b.ready.fingerprint}\n` })
  assert.equal(accepted.stdout, 'Remote b has a new pinned certificate\n')
  await out('cluster link list b:')
  assert.equal(await out('remote update-certificate b'), 'Remote b presents the pinned certificate\n')
})

test('who is revoked is refused at once', async () => {
  await out(`remote add b ${await tokenOf(b)}`)
  await cli(b, `auth identity delete tls/person${people}`)
  const result = await run('cluster link list b:')
  assert.deepEqual([result.code, result.stdout], [4, ''])
  assert.match(result.stderr, /^Error: Remote "b" does not know your certificate any more: with a token/)
  assert.equal((await run('kafka topic list b:')).stderr, result.stderr)
})
