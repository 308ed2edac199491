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

test('without a Kafka the embedded broker runs, on loopback', async (t) => {
  const directory = await folder(t)
  const read1 = (...args: string[]) => read(['--state-dir', directory, ...args])
  const { broker, kafka } = await read1()
  assert.deepEqual([broker, kafka], [{ listen: { host: '127.0.0.1', port: 9092 } }, undefined])
  const given = ['--broker-listen', '0.0.0.0:0', '--broker-advertise', 'broker.test', '--broker-config', 'b.properties']
  assert.deepEqual((await read1(...given)).broker, {
    listen: { host: '0.0.0.0', port: 0 },
    advertise: { host: 'broker.test', port: 0 },
    configFile: 'b.properties',
  })
  assert.deepEqual((await read1('--broker-listen', '[::1]')).broker, { listen: { host: '::1', port: 9092 } })
  const set = await folder(t, { 'broker-config': 'b.properties', 'broker-listen': 'localhost' })
  assert.deepEqual((await read(['--state-dir', set])).broker, {
    listen: { host: 'localhost', port: 9092 },
    configFile: join(set, 'b.properties'),
  })
})

test('settings that exclude each other are wrong usage', async (t) => {
  const directory = await folder(t)
  const cases: [string[], RegExp][] = [
    [['--kafka', 'k:1', '--broker-listen', 'x:1'], /^--broker-listen is about the embedded broker.*leave --kafka out/],
    [['--kafka', 'k:1', '--broker-config', 'x'], /^--broker-config is about the embedded broker/],
    [['--kafka-config', 'x'], /^--kafka-config is about a Kafka that is not given: .*--kafka HOST:PORT/],
    [['--broker-listen', '0.0.0.0:1'], /^--broker-listen is every address.*--broker-advertise HOST:PORT/],
    [['--broker-listen', '[::]:1'], /^--broker-listen is every address/],
    [['--broker-advertise', 'a:b:c'], /^--broker-advertise: .*HOST:PORT/],
  ]
  for (const [args, message] of cases) {
    await assert.rejects(readConfig(['--state-dir', directory, ...args], {}), { code: 'usage', exitCode: 2, message })
  }
  const siteKey = readConfig(['--state-dir', directory, '--site-key-file', 'x'], {})
  await assert.rejects(siteKey, { code: 'unsupported', message: /--site-key-file cannot be used/ })
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
