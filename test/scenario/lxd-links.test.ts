import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { decodeToken, encodeToken } from '../../src/identity/trust-token.ts'
import { pinnedHttp } from '../../src/transport/pinned-fetch.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { callV1, linksPath } from '../support/link-calls.ts'
import { waitFor } from '../support/process.ts'
import { cli, refused } from '../support/sites.ts'

/** What LXD's own suite expects of links, line by line, by our command line. */
let one: Daemon
let two: Daemon

before(async () => {
  ;[one, two] = await Promise.all([startDaemon({ name: 'one' }), startDaemon({ name: 'two' })])
})

after(async () => {
  await Promise.all([one?.[Symbol.asyncDispose](), two?.[Symbol.asyncDispose]()])
})

/** Lines of `auth identity list -f csv` that hold this type, as the suite counts them. */
async function identityLines(at: Daemon, type: string): Promise<number> {
  const csv = await cli(at, 'auth identity list -f csv')
  return csv.split('\n').filter((line) => line.split(',')[1] === type).length
}

const pending = (at: Daemon) => identityLines(at, 'Cluster link certificate (pending)')
const active = (at: Daemon) => identityLines(at, 'Cluster link certificate')
const linkNames = async (at: Daemon) => (await at.client.clusterLinks.list()).map(({ name }) => name)

/** What `/1.0` says to the other cluster's certificate. */
async function authOf(caller: Daemon, at: Daemon): Promise<string> {
  const certificate = await readFile(join(caller.stateDir, 'cluster.crt'), 'utf8')
  const key = await readFile(join(caller.stateDir, 'cluster.key'), 'utf8')
  await using http = pinnedHttp({ address: at.ready.https, fingerprint: at.ready.fingerprint, certificate, key })
  return (await callV1({ http }, 'GET', '/1.0')).metadata.auth
}

describe('links in both directions', () => {
  test('a pending link is made once, with one pending identity, which goes with it', async () => {
    await cli(one, 'cluster link create foo -q')
    assert.match(await refused(one, 'cluster link create foo -q'), /"foo" already exists/)
    assert.equal(await pending(one), 1)
    await cli(one, 'cluster link delete foo')
    assert.equal(await pending(one), 0)
  })

  test('quietly, minting prints the token and nothing else', async () => {
    const output = await cli(one, 'cluster link create lxd_two -q')
    assert.match(output, /^[A-Za-z0-9+/]+=*\n$/)
    assert.equal(decodeToken(output).client_name, 'lxd_two')
    assert.equal(await pending(one), 1)
    await cli(one, 'cluster link delete lxd_two')
  })

  test('a token and a type alone are refused, and the ways that there are told', async () => {
    const token = (await cli(one, 'cluster link create lxd_two -q')).trim()
    const answer = await callV1(two, 'POST', linksPath, { trust_token: token, type: 'bidirectional' })
    assert.equal(answer.status, 400)
    assert.match(answer.error, /a name alone.*a name and a token.*a token, a certificate and "volatile\.addresses"/)
    await cli(one, 'cluster link delete lxd_two')
  })

  test('a token with a broken secret activates nothing and leaves nothing', async () => {
    const token = decodeToken(await cli(one, 'cluster link create broken_link -q'))
    const broken = encodeToken({ ...token, secret: `${token.secret}broken` })
    const said = await refused(two, `cluster link create broken_link --token ${broken}`)
    assert.match(said, new RegExp(`The cluster at ${one.ready.https} refused: This token is not known here`))
    assert.deepEqual(await linkNames(two), [])
    assert.deepEqual(await two.client.identities.list(), [])
    assert.equal(await authOf(one, two), 'untrusted')
    await cli(one, 'cluster link delete broken_link')
  })

  test('a token links both ways: lists, info, show, identities and trust', async () => {
    const token = (await cli(one, 'cluster link create lxd_two -q')).trim()
    assert.equal(await cli(two, `cluster link create lxd_one --token ${token}`), 'Cluster link lxd_one created\n')
    for (const [at, name, other] of [
      [two, 'lxd_one', one],
      [one, 'lxd_two', two],
    ] as const) {
      const csv = await cli(at, 'cluster link list -f csv')
      assert.equal(csv, `${name},${other.ready.https},,ACTIVE,BIDIRECTIONAL\n`)
      assert.match(await cli(at, `cluster link info ${name}`), / ACTIVE /)
      assert.match(await cli(at, `cluster link show ${name}`), /^type: bidirectional$/m)
      assert.deepEqual([await active(at), await pending(at)], [1, 0])
      assert.equal(await authOf(other, at), 'trusted')
    }
  })

  test('a key of the user is set, got and unset', async () => {
    await cli(one, 'cluster link set lxd_two user.foo=bar')
    assert.equal(await cli(one, 'cluster link get lxd_two user.foo'), 'bar\n')
    await cli(one, 'cluster link unset lxd_two user.foo')
    assert.equal(await cli(one, 'cluster link get lxd_two user.foo'), '\n')
  })

  test('a key of the daemon cannot be set, and keeps its value', async () => {
    const before = await cli(one, 'cluster link get lxd_two volatile.addresses')
    assert.match(await refused(one, 'cluster link set lxd_two volatile.addresses=10.0.0.1:1'), /cannot be modified/)
    assert.equal(await cli(one, 'cluster link get lxd_two volatile.addresses'), before)
  })

  test('each side ends its own trust', async () => {
    await cli(one, 'cluster link delete lxd_two')
    assert.equal(await active(one), 0)
    assert.deepEqual([await authOf(two, one), await authOf(one, two)], ['untrusted', 'trusted'])
    await cli(two, 'cluster link delete lxd_one')
    assert.equal(await active(two), 0)
    assert.equal(await authOf(one, two), 'untrusted')
  })
})

describe('links in one direction', () => {
  test('flags that do not go together are refused', async () => {
    const create = 'cluster link create lxd_three --unidirectional'
    assert.match(await refused(two, `${create} --public --remote-address h:1 --token t`, 2), /cannot be used with/)
    assert.match(await refused(two, create, 2), /needs the token/)
    assert.match(await refused(two, `${create} --token t --auth-group g`, 2), /cannot be used with/)
  })

  test('the target has an identity and no link, the initiator a link and no identity', async () => {
    const token = (await cli(one, 'auth identity create cluster-link/lxd_one -q')).trim()
    await cli(two, `cluster link create lxd_three --token ${token} --unidirectional`)
    assert.match(await cli(two, 'cluster link show lxd_three'), /^type: unidirectional$/m)
    assert.deepEqual(await two.client.identities.list(), [])
    assert.equal(await active(one), 1)
    assert.deepEqual(await linkNames(one), [])
    assert.equal(await cli(two, 'cluster link get lxd_three volatile.addresses'), `${one.ready.https}\n`)
    assert.match(await cli(two, 'cluster link info lxd_three'), / ACTIVE /)
    assert.deepEqual([await authOf(two, one), await authOf(one, two)], ['trusted', 'untrusted'])
  })

  test('the link goes with the initiator, the identity stays until the target deletes it', async () => {
    await cli(two, 'cluster link delete lxd_three')
    assert.deepEqual(await linkNames(two), [])
    assert.equal(await active(one), 1)
    await cli(one, 'auth identity delete cluster-link/lxd_one')
    assert.equal(await active(one), 0)
    assert.equal(await authOf(two, one), 'untrusted')
  })
})

test('one security event of a user for each step of a link, with who did it from where', async () => {
  const socket = new WebSocket(`ws+unix:${join(one.stateDir, 'unix.socket')}:/1.0/events?type=security`)
  // biome-ignore lint/suspicious/noExplicitAny: whatever came
  const events: any[] = []
  socket.on('message', (data) => events.push(JSON.parse(String(data)).metadata))
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  const since = async (kind: string) => {
    const found = () => events.filter(({ name }) => name.startsWith(`${kind}:`))
    await waitFor(() => found().length > 0, { what: kind })
    const [event, ...more] = found()
    assert.deepEqual(more, [])
    events.length = 0
    return event
  }
  const token = (await cli(one, 'cluster link create told -q')).trim()
  const created = await since('user_created')
  assert.deepEqual([created.request_path, created.level, created.request_method], [linksPath, 'info', 'POST'])
  await cli(two, `cluster link create back --token ${token}`)
  const activated = await since('user_updated')
  assert.deepEqual([activated.requestor.username, activated.requestor.protocol], ['', ''])
  assert.match(activated.requestor.address, /^127\.0\.0\.1:\d+$/)
  await cli(one, 'cluster link rename told said')
  await since('user_updated')
  await cli(one, 'cluster link delete said')
  assert.equal((await since('user_deleted')).request_method, 'DELETE')
  socket.close()
  await cli(two, 'cluster link delete back')
})
