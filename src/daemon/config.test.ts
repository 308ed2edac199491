import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type DaemonConfig, readConfig } from './config.ts'

async function folder(t: TestContext, file?: unknown): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'linkspan-config-'))
  t.after(() => rm(directory, { recursive: true }))
  const text = typeof file === 'string' ? file : JSON.stringify(file)
  if (file !== undefined) await writeFile(join(directory, 'linkspand.json'), text)
  return directory
}

async function read(args: string[], environment: NodeJS.ProcessEnv = {}): Promise<DaemonConfig> {
  const invocation = await readConfig(args, environment)
  assert.ok('config' in invocation)
  return invocation.config
}

test('defaults', async (t) => {
  const directory = await folder(t)
  const config = await read(['--state-dir', directory, '--kafka', 'k1:9092, k2:9092,'])
  assert.deepEqual(config, {
    stateDir: directory,
    listen: { host: '127.0.0.1', port: 8443 },
    advertise: [],
    name: hostname(),
    kafka: { bootstrap: 'k1:9092,k2:9092' },
    logLevel: 'info',
    logFormat: 'text',
  })
})

test('a flag counts before a variable, and that before the file', async (t) => {
  const directory = await folder(t, {
    listen: '0.0.0.0:1',
    advertise: ['a', 'b:7'],
    name: 'file',
    kafka: ['f:1', 'f:2'],
    'log-level': 'warn',
  })
  const environment = {
    LINKSPAN_DIR: directory,
    LINKSPAN_LISTEN: '[::]:2',
    LINKSPAN_NAME: 'variable',
    LINKSPAN_LOG_LEVEL: '',
    LINKSPAN_CONF: 'of the command line',
  }
  const config = await read(['--name', 'flag', '--kafka-config', 'x.properties'], environment)
  assert.deepEqual(config.listen, { host: '::', port: 2 })
  assert.deepEqual(config.advertise, ['a:2', 'b:7'])
  assert.equal(config.name, 'flag')
  assert.equal(config.logLevel, 'warn')
  assert.deepEqual(config.kafka, { bootstrap: 'f:1,f:2', configFile: 'x.properties' })
})

test('without a Kafka it says why it does not start', async (t) => {
  const directory = await folder(t)
  const refused = { code: 'unsupported', message: /no embedded broker yet.*--kafka HOST:PORT/ }
  await assert.rejects(readConfig(['--state-dir', directory], {}), refused)
  const broker = ['--state-dir', directory, '--broker-listen', 'x:1']
  await assert.rejects(readConfig(broker, {}), { code: 'unsupported', message: /--broker-listen cannot be used/ })
})

test('wrong usage is told apart, with the place where it stands', async (t) => {
  const cases: [string[], NodeJS.ProcessEnv, unknown, RegExp][] = [
    [['--lisen', 'x:1'], {}, undefined, /--lisen.*--help/],
    [['stray'], {}, undefined, /stray/],
    [['--listen'], {}, undefined, /--listen/],
    [['--listen', 'nowhere'], {}, undefined, /^--listen: .*HOST:PORT/],
    [[], { LINKSPAN_LISTEN: 'x' }, undefined, /^LINKSPAN_LISTEN: /],
    [[], { LINKSPAN_LOG_FORMAT: 'xml' }, undefined, /LINKSPAN_LOG_FORMAT has to be one of text, json, got "xml"/],
    [[], {}, { lisen: 'x' }, /linkspand.json has an unknown key "lisen"; there are listen/],
    [[], {}, { 'state-dir': '/x' }, /unknown key "state-dir"/],
    [[], {}, { listen: 8443 }, /"listen" in .* has to be a text/],
    [[], {}, { listen: 'x' }, /^"listen" in .*linkspand.json: /],
    [[], {}, '{', /is not JSON/],
    [[], {}, [], /one JSON object/],
  ]
  for (const [args, environment, file, message] of cases) {
    const directory = await folder(t, file)
    const reading = readConfig(['--state-dir', directory, '--kafka', 'k:1', ...args], environment)
    await assert.rejects(reading, { code: 'usage', exitCode: 2, message })
  }
  const directory = await folder(t)
  await mkdir(join(directory, 'linkspand.json'))
  await assert.rejects(readConfig(['--state-dir', directory], {}), { code: 'usage', message: /cannot be read/ })
})

test('help and version need nothing else', async () => {
  assert.deepEqual(await readConfig(['--help'], {}), { show: 'help' })
  assert.deepEqual(await readConfig(['--version'], {}), { show: 'version' })
})
