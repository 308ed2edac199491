import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { cliMain } from '../support/daemon.ts'
import { run } from '../support/process.ts'
import { clusters, kafkaPath, list, startScriptedDaemon, sync } from '../support/scripted-daemon.ts'

const link = (name: string) => ({ name, description: '', type: 'bidirectional', config: {}, used_by: [] })
const identity = (type: string, name: string) => ({ type, name, id: name, groups: [] })
const script = {
  ...clusters,
  'GET /1.0/cluster/links?recursion=1': sync([link('berlin'), link('bonn'), link('with space'), link('paris')]),
  'GET /1.0/cluster/links/berlin': sync({ ...link('berlin'), config: { 'user.owner': 'x', 'user.hall': 'y' } }),
  'GET /1.0/auth/groups?recursion=1': sync([{ name: 'readers' }, { name: 'writers' }]),
  'GET /1.0/auth/identities?recursion=1': sync([
    identity('Client certificate', 'ada'),
    identity('Cluster link certificate', 'berlin'),
  ]),
  [`GET ${kafkaPath}/topics`]: list([{ topic_name: 'orders' }]),
  [`GET ${kafkaPath}/links/-/mirrors`]: list([{ mirror_topic_name: 'orders.mirror' }]),
}

test('commands, options and their values complete without a daemon', async (t) => {
  const daemon = await startScriptedDaemon(t, {})
  const words = async (line: string) => {
    const { code, stdout, stderr } = await daemon.cli(['complete', line])
    assert.deepEqual([code, stderr], [0, ''])
    return stdout
      .trimEnd()
      .split('\n')
      .map((each) => each.split('\t')[0])
  }
  assert.deepEqual(await words('linkspan com'), ['completion'])
  assert.deepEqual(await words('linkspan --state-dir /x auth identity gr'), ['group'])
  assert.deepEqual(await words('linkspan auth user group '), ['add', 'remove'])
  assert.deepEqual(await words('linkspan cluster link list --form'), ['--format'])
  assert.deepEqual(await words('linkspan cluster link list --format=c'), ['--format=compact', '--format=csv'])
  assert.deepEqual(await words('linkspan cluster link list -f j'), ['json'])
  assert.deepEqual(await words('linkspan completion '), ['bash', 'fish', 'zsh'])
  assert.deepEqual(await words('linkspan auth group permission add readers topic can_v'), ['can_view', 'can_view_acls'])
  assert.deepEqual(await words('linkspan cluster link create x --token-file '), [':files'])
  assert.deepEqual(await words('linkspan nonsense '), [''])
  assert.deepEqual(daemon.requests, [])
})

test('names complete from the daemon that is meant', async (t) => {
  const daemon = await startScriptedDaemon(t, script)
  const seat = join(daemon.stateDir, 'cli')
  await mkdir(seat)
  await writeFile(join(seat, 'config.yml'), 'default-remote: local\nremotes:\n  b2:\n    addresses: ["127.0.0.1:1"]\n')
  const words = async (line: string) => (await daemon.cli(['complete', line])).stdout.trimEnd().split('\n')
  const cases: [string, string[]][] = [
    ['linkspan cluster link show b', ['b2:', 'berlin', 'bonn']],
    ['linkspan cluster link show local:b', ['local:berlin', 'local:bonn']],
    ['linkspan cluster link show berlin ', ['']],
    ['linkspan cluster link create b', ['']],
    ['linkspan cluster link get local:berlin user.', ['user.hall', 'user.owner']],
    ['linkspan cluster link create x --auth-group ', ['readers', 'writers']],
    ['linkspan cluster link list ', ['b2:', 'local:']],
    ['linkspan auth group permission add local:r', ['local:readers']],
    ['linkspan auth identity group add ', ['b2:', 'cluster-link/berlin', 'tls/ada']],
    ['linkspan auth identity group add tls/ada w', ['writers']],
    ['linkspan remote rename ', ['b2', 'local']],
    ['linkspan kafka topic describe ', ['b2:', 'orders']],
    ['linkspan kafka mirror promote --link=', ['--link=berlin', '--link=bonn', '--link=paris']],
    ['linkspan kafka mirror promote o', ['orders.mirror']],
  ]
  for (const [line, expected] of cases) assert.deepEqual(await words(line), expected, line)
})

test('a daemon that is gone, hangs or refuses, and a remote out of reach, are nothing, quietly and soon', async (t) => {
  const daemon = await startScriptedDaemon(t, {})
  const hung = await mkdtemp(join(tmpdir(), 'linkspan-hung-'))
  const server = createServer(() => {})
  await new Promise<void>((resolve) => server.listen(join(hung, 'unix.socket'), resolve))
  t.after(async () => {
    server.close()
    await rm(hung, { recursive: true })
  })
  for (const stateDir of ['/nowhere', hung, daemon.stateDir]) {
    const env = { LINKSPAN_DIR: stateDir }
    const startMs = performance.now()
    const result = await daemon.cli(['complete', 'linkspan cluster link show '], { env })
    assert.deepEqual(result, { code: 0, signal: null, stdout: '', stderr: '' })
    assert.ok(performance.now() - startMs < 3000, `${stateDir}: ${performance.now() - startMs} ms`)
  }
})

test('bash completes by the script, also behind a colon or an equals sign', async (t) => {
  const daemon = await startScriptedDaemon(t, script)
  const program = `linkspan() { '${process.execPath}' '${cliMain}' "$@"; }
source <(linkspan completion bash)
try() { COMP_LINE=$1 COMP_POINT=\${#1}; _linkspan; echo "\${COMPREPLY[*]}"; }
try 'linkspan cluster link show b'
try 'linkspan cluster link show local:b'
try 'linkspan cluster link list --format=c'
try 'linkspan clus'
complete -p linkspan`
  const env = { LINKSPAN_DIR: daemon.stateDir, LINKSPAN_CONF: join(daemon.stateDir, 'cli') }
  const { stdout } = await run('bash', ['-c', program], { env })
  const expected = ['berlin bonn', 'berlin bonn', 'compact csv', 'cluster', 'complete -F _linkspan linkspan']
  assert.deepEqual(stdout.trimEnd().split('\n'), expected)
  for (const shell of ['zsh', 'fish']) {
    const { code, stdout: text } = await daemon.cli(['completion', shell])
    assert.deepEqual([code, text.includes('linkspan complete')], [0, true])
  }
  assert.equal((await daemon.cli(['completion', 'tcsh'])).code, 2)
})
