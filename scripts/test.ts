import { type SpawnOptions, spawn } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { kafkaAvailable } from '../test/kafka/jars.ts'
import { startShared } from '../test/kafka/shared.ts'
import { type Counts, countNames, countsVariable } from './reporter.ts'

/**
 * `npm test` runs every stage, also after one has failed; `npm run test:unit` only the units; `npm test -- FILE…` only
 * these test files. The exit code is that of the first stage that failed.
 */
const root = resolve(import.meta.dirname, '..')
const unitPatterns = ['src/**/*.test.ts', 'web/{src,test}/**/*.test.ts', 'test/{,support/}*.test.ts']
const scenarioPatterns = ['test/kafka/*.test.ts', 'test/scenario/**/*.test.ts', '{demo,bench}/**/*.test.ts']
/** For a test, and for a file of scenarios as a whole; a stage that hangs all the same is ended. */
const timeoutMs = { unit: 60_000, scenario: 480_000, stage: 30 * 60_000 }

interface Outcome {
  stage: string
  exitCode: number
  seconds: number
}

const totals: Counts = Object.fromEntries(countNames.map((name) => [name, 0])) as Counts
const outcomes: Outcome[] = []

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

async function stage(name: string, work: () => Promise<number>): Promise<void> {
  say(`\n── ${name}`)
  const startMs = performance.now()
  const exitCode = await work().catch((error: Error) => {
    say(`✖ ${error.message}`)
    return 1
  })
  outcomes.push({ stage: name, exitCode, seconds: (performance.now() - startMs) / 1000 })
}

function runCommand(command: string, args: string[], options: SpawnOptions = {}): Promise<number> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', timeout: timeoutMs.stage, ...options })
    child.once('error', fail)
    child.once('exit', (code, signal) => {
      if (signal) say(`✖ ended by ${signal}`)
      done(code ?? 1)
    })
  })
}

interface RunOptions {
  env?: Record<string, string>
  /** Tells everything at the end, for runs that go on beside another. */
  late?: boolean
}

async function runTests(
  files: string[],
  flags: string[],
  { env = {}, late = false }: RunOptions = {},
): Promise<number> {
  if (files.length === 0) return 0
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-test-'))
  const [countsFile, reportFile] = [join(folder, 'counts.json'), join(folder, 'report.txt')]
  const destination = late ? reportFile : 'stdout'
  const reporter = ['--test-reporter=./scripts/reporter.ts', `--test-reporter-destination=${destination}`]
  // kafkajs asks for timers in the past.
  const args = ['--disable-warning=TimeoutNegativeWarning', '--test', ...reporter, ...flags, ...files]
  try {
    const code = await runCommand(process.execPath, args, {
      env: { ...process.env, ...env, [countsVariable]: countsFile },
    })
    if (late && existsSync(reportFile)) say(readFileSync(reportFile, 'utf8'))
    if (existsSync(countsFile)) addCounts(JSON.parse(readFileSync(countsFile, 'utf8')) as Partial<Counts>)
    else say('✖ the tests ended without a report')
    return existsSync(countsFile) ? code : code || 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function addCounts(counts: Partial<Counts>): void {
  for (const name of countNames) totals[name] += counts[name] ?? 0
}

function runUnits(files: string[]): Promise<number> {
  return runTests(files, ['--test-isolation=none', `--test-timeout=${timeoutMs.unit}`])
}

/**
 * One file at a time, each in a process of its own; the brokers that they share are started once. Those that need no
 * Kafka run beside those that do, one at a time as well: both wait most of the time.
 */
async function runScenarios(files: string[]): Promise<void> {
  const withKafka = files.filter((file) => mentions(file, 'kafkaAvailable'))
  const others = files.filter((file) => !withKafka.includes(file))
  const flags = ['--test-concurrency=1', `--test-timeout=${timeoutMs.scenario}`]
  const late = withKafka.length > 0
  const stages: Promise<void>[] = []
  if (others.length > 0) stages.push(stage('scenarios', () => runTests(others, flags, { late })))
  if (withKafka.length > 0) stages.push(stage('scenarios, with real Kafka', () => runWithKafka(withKafka, flags)))
  await Promise.all(stages)
}

async function runWithKafka(files: string[], flags: string[]): Promise<number> {
  const shares = files.some((file) => mentions(file, 'sharedKafka') || mentions(file, 'linkPair'))
  if (!shares || (await kafkaAvailable()).skip) return await runTests(files, flags)
  await using shared = await startShared()
  return await runTests(files, flags, { env: shared.env })
}

function mentions(file: string, call: string): boolean {
  return new RegExp(`\\b${call}\\(`).test(readFileSync(join(root, file), 'utf8'))
}

function listFiles(patterns: string[]): string[] {
  return patterns.flatMap((pattern) => globSync(pattern, { cwd: root, exclude: ['**/node_modules'] })).sort()
}

function bin(name: string): string {
  return join(root, 'node_modules', '.bin', name)
}

async function runEverything(): Promise<void> {
  await stage('types', () => runCommand(bin('tsc'), ['--noEmit']))
  await stage('lint', () => runCommand(bin('biome'), ['check', '.']))
  await stage('units', () => runUnits(listFiles(unitPatterns)))
  await runScenarios(listFiles(scenarioPatterns))
}

async function runChosen(chosen: string[]): Promise<void> {
  const found = chosen.map((pattern) => ({ pattern, files: listFiles([pattern.replace(/^\.\//, '')]) }))
  const units = new Set(listFiles(unitPatterns))
  const files = [...new Set(found.flatMap((one) => one.files))]
  const scenarios = files.filter((file) => !units.has(file))
  for (const one of found.filter((one) => one.files.length === 0)) {
    await stage(one.pattern, async () => {
      throw new Error('no test file has this name or matches this pattern')
    })
  }
  if (files.length > scenarios.length) await stage('units', () => runUnits(files.filter((file) => units.has(file))))
  await runScenarios(scenarios)
}

function summarize(): number {
  say('')
  for (const { stage, exitCode, seconds } of outcomes) {
    say(`${exitCode === 0 ? '✔' : '✖'} ${stage} (${seconds.toFixed(1)} s)`)
  }
  for (const name of countNames) say(`ℹ ${name} ${name === 'duration_ms' ? totals[name].toFixed(0) : totals[name]}`)
  return outcomes.find(({ exitCode }) => exitCode !== 0)?.exitCode ?? 0
}

const chosen = process.argv.slice(2)
if (chosen.length === 0) await runEverything()
else if (chosen[0] === 'unit') await stage('units', () => runUnits(listFiles(unitPatterns)))
else await runChosen(chosen)
process.exitCode = summarize()
