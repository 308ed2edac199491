import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { cliMain, type Daemon, startDaemon } from '../support/daemon.ts'
import { type Process, startProcess, waitFor } from '../support/process.ts'
import { cli } from '../support/sites.ts'

let daemon: Daemon
let env: Record<string, string>

before(async () => {
  daemon = await startDaemon({ name: 'watched' })
  env = { LINKSPAN_DIR: daemon.stateDir, LINKSPAN_CONF: `${daemon.stateDir}/seat` }
  await cli(daemon, 'auth group create operators')
  await cli(daemon, 'auth group permission add operators server admin')
  const token = await cli(daemon, 'auth identity create tls/operator --group operators -q')
  const added = await daemon.cli(['remote', 'add', 'b', token.trim()], { env })
  assert.equal(added.code, 0, added.stderr)
})

after(() => daemon?.[Symbol.asyncDispose]())

function monitor(line: string): Process {
  return startProcess(process.execPath, [cliMain, 'monitor', ...line.split(' ').filter(Boolean)], { env })
}

/** Until the monitor has shown something of it, as it may not be watching yet. */
async function shows(watching: Process, text: string): Promise<void> {
  let number = 0
  await waitFor(
    async () => {
      number += 1
      await daemon.client.groups.create({ name: `${text}-${number}` })
      return watching.stdout.includes(text)
    },
    { what: `${text} in ${watching.output}`, intervalMs: 200 },
  )
}

test('events come as YAML, as JSON, or one to a line, from here and from afar', async () => {
  await using yaml = monitor('')
  await using json = monitor('b: --type lifecycle --format json')
  await using pretty = monitor('b: --pretty --type=lifecycle')
  await Promise.all([shows(yaml, 'alpha'), shows(json, 'beta'), shows(pretty, 'gamma')])
  assert.match(yaml.stdout, /type: lifecycle\n/)
  assert.match(yaml.stdout, /\n {2}action: auth-group-created\n {2}source: \/1.0\/auth\/groups\/alpha/)
  const [first = ''] = json.stdout.split('\n')
  assert.deepEqual([JSON.parse(first).type, JSON.parse(first).metadata.action], ['lifecycle', 'auth-group-created'])
  const line =
    /^INFO {3}\[\d{4}-[^\]]+\] Action: auth-group-created, Source: \/1.0\/auth\/groups\/\w+-\d+, Requestor: unix/
  assert.match(pretty.stdout, line)
})

test('of the log, what is as loud as asked for', async () => {
  await using loud = monitor('b: --type logging --loglevel warn --pretty')
  await using louder = monitor('--type logging --loglevel error --pretty')
  // It is said again and again.
  await loud.waitForOutput(/^WARNING\[[^\]]+\] .*Kafka did not answer/m, { timeoutMs: 60_000 })
  assert.doesNotMatch(loud.stdout, /^(INFO|DEBUG)/m)
  assert.deepEqual([louder.output, louder.exit], ['', undefined])
})

test('a watch whose reader goes away ends', async () => {
  const command = `'${process.execPath}' '${cliMain}' monitor --format json --type lifecycle`
  const line = `${command} | head -1; echo "\${PIPESTATUS[0]}"`
  await using watching = startProcess('bash', ['-c', line], { env })
  await shows(watching, 'zeta')
  await waitFor(async () => {
    await daemon.client.groups.create({ name: crypto.randomUUID() })
    return watching.exit
  })
  assert.match(watching.stdout, /"auth-group-created".*\n0\n$/)
})

test('what cannot be watched is told', async () => {
  const run = (line: string) => daemon.cli(['monitor', ...line.split(' ')], { env })
  assert.match((await run('--type gossip')).stderr, /There are no events of type "gossip": choose among lifecycle/)
  assert.equal((await run('--type lifecycle --loglevel warning')).code, 2)
  assert.equal((await run('--loglevel loud')).code, 2)
  const nobody = await run('--state-dir /nowhere')
  assert.deepEqual([nobody.code, nobody.stdout], [3, ''])
  assert.match(nobody.stderr, /^Error: No Linkspan daemon answers/)
})

test('a watcher that is trusted no more is told so, and a daemon that stops ends the watch', async () => {
  await using revoked = monitor('b:')
  await using local = monitor('')
  await Promise.all([shows(revoked, 'delta'), shows(local, 'epsilon')])
  await cli(daemon, 'auth identity delete tls/operator')
  assert.equal((await revoked.waitForExit()).code, 1)
  assert.match(revoked.stderr, /^Error: The daemon broke the connection off/)
  assert.equal(local.exit, undefined)
  await daemon.stop()
  assert.equal((await local.waitForExit()).code, 1)
  assert.match(local.stderr, /^Error: The daemon broke the connection off: it stopped/)
})
