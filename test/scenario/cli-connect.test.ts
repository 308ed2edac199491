import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { cliMain, type Daemon, startDaemon } from '../support/daemon.ts'
import { type RunResult, startProcess, waitFor } from '../support/process.ts'
import { cli } from '../support/sites.ts'

let a: Daemon
let b: Daemon
let seat: string

before(async () => {
  seat = await mkdtemp(join(tmpdir(), 'linkspan-seat-'))
  ;[a, b] = await Promise.all([startDaemon({ name: 'a' }), startDaemon({ name: 'b' })])
  for (const [name, daemon] of Object.entries({ a, b })) {
    await cli(daemon, 'auth group create operators')
    await cli(daemon, 'auth group permission add operators server admin')
    await cli(daemon, 'auth group create readers')
    const token = await cli(daemon, 'auth identity create tls/operator --group operators -q')
    assert.equal((await run(`remote add ${name} ${token.trim()}`)).code, 0)
  }
})

after(async () => {
  await Promise.all([a?.[Symbol.asyncDispose](), b?.[Symbol.asyncDispose]()])
  await rm(seat, { recursive: true })
})

const run = (line: string): Promise<RunResult> => a.cli(line.split(' '), { env: { LINKSPAN_CONF: seat } })
const links = async (daemon: Daemon) => (await daemon.client.clusterLinks.list()).map(({ name }) => name)
const pending = async (daemon: Daemon) => {
  return (await daemon.client.identities.list()).filter(({ type }) => type.startsWith('Cluster link'))
}

test('two remotes are linked in one command, each under the name of its remote', async () => {
  const { code, stdout, stderr } = await run('cluster link connect a: b: --auth-group readers')
  assert.deepEqual([code, stderr], [0, ''])
  assert.equal(stdout, 'Cluster links a:b and b:a created\n')
  for (const [here, there, name] of [
    [a, b, 'b'],
    [b, a, 'a'],
  ] as const) {
    const { value } = await here.client.identities.get(name)
    assert.deepEqual([value.id, value.groups], [there.ready.fingerprint, ['readers']])
    const { cluster_link_members: members } = await here.client.clusterLinks.state(name)
    assert.equal(members[0]?.status, 'Active')
  }
  await run('cluster link delete a:b')
  await run('cluster link delete b:a')
})

test('names and groups are chosen for each side, and the daemon of this machine is called by its server', async () => {
  const words = '--name-b berlin --auth-group-b readers --auth-group-a operators'
  assert.equal((await run(`cluster link connect local: b: ${words}`)).code, 0)
  assert.deepEqual((await a.client.identities.get('berlin')).value.groups, ['readers'])
  assert.deepEqual((await b.client.identities.get('a')).value.groups, ['operators'])
  await cli(a, 'cluster link delete berlin')
  await cli(b, 'cluster link delete a')
})

test('what fails at the other side is undone at this one', async () => {
  await cli(a, 'auth group create only-at-a')
  const cases: [string, number, RegExp][] = [
    ['cluster link connect a: b: --auth-group only-at-a', 1, /only-at-a/],
    ['cluster link connect a: b: --auth-group-a none', 1, /none/],
    ['cluster link connect a: a:', 2, /Name two remotes/],
    ['cluster link connect a: c:', 2, /There is no remote "c"/],
  ]
  for (const [line, exit, pattern] of cases) {
    const { code, stdout, stderr } = await run(line)
    assert.deepEqual([code, stdout], [exit, ''], stderr)
    assert.match(stderr, pattern)
    assert.deepEqual([await links(a), await links(b), await pending(a), await pending(b)], [[], [], [], []])
  }
})

test('a name that is taken is told before anything is made', async () => {
  await cli(b, 'cluster link create a')
  const { code, stderr } = await run('cluster link connect a: b:')
  assert.deepEqual([code, await links(a)], [1, []])
  assert.match(stderr, /There is a cluster link "a" at b: already: choose another name/)
  assert.deepEqual(await links(b), ['a'])
})

test('a certificate that is rotated over a remote is pinned anew, and the link goes on', async () => {
  await cli(b, 'cluster link delete a')
  assert.equal((await run('cluster link connect a: b:')).code, 0)
  const before = b.ready.fingerprint
  const { code, stdout, stderr } = await run('cluster certificate rotate b: --force')
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /^The cluster's certificate is now [0-9a-f]{64}\nLinked clusters that know it: a\n$/)
  assert.ok(!stdout.includes(before))
  assert.equal((await run('cluster link info b:a')).code, 0)
  for (const [here, name] of [
    [a, 'b'],
    [b, 'a'],
  ] as const) {
    await waitFor(async () => {
      const { cluster_link_members: members } = await here.client.clusterLinks.state(name)
      return members[0]?.status === 'Active'
    })
  }
  await run('cluster link delete a:b')
  await run('cluster link delete b:a')
})

test('an interrupt undoes what was made so far', async () => {
  // Takes connections and says nothing: whoever uses the token waits.
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const { port } = silent.address() as AddressInfo
  const c = await startDaemon({ name: 'c', args: ['--advertise', `127.0.0.1:${port}`] })
  try {
    const words = ['cluster', 'link', 'connect', 'local:', 'b:']
    const env = { LINKSPAN_DIR: c.stateDir, LINKSPAN_CONF: seat }
    await using command = startProcess(process.execPath, [cliMain, ...words], { env })
    await waitFor(async () => (await links(c)).length > 0, { what: 'the token' })
    command.kill('SIGINT')
    assert.equal((await command.waitForExit()).code, 1)
    assert.match(command.stderr, /^Error: Interrupted\n$/)
    assert.deepEqual([await links(c), await pending(c)], [[], []])
  } finally {
    await c[Symbol.asyncDispose]()
    silent.close()
  }
})
