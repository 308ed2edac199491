import { type Process, type RunResult, startProcess } from '../support/process.ts'
import type { KafkaJars } from './jars.ts'
import { javaCommand } from './java.ts'

/** For short runs: start time counts, peak speed does not. Not for benchmarks. */
const quickFlags = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-XX:-UsePerfData', '-Xshare:auto']

export interface JavaOptions {
  heapMb?: number
  /** Instead of the flags that make short runs quick. */
  flags?: readonly string[]
  /** Of Kafka's own log, which goes to standard error. */
  logLevel?: 'error' | 'warn' | 'info'
  timeoutMs?: number
  input?: string | Uint8Array
  openInput?: boolean
}

/** A main class of Kafka's jars in a Java of its own. */
export async function startJava(
  jars: KafkaJars,
  mainClass: string,
  args: readonly string[],
  { heapMb = 256, flags = quickFlags, logLevel = 'error', input, openInput }: JavaOptions = {},
): Promise<Process> {
  const log = [
    `-Dorg.slf4j.simpleLogger.defaultLogLevel=${logLevel}`,
    '-Dorg.slf4j.simpleLogger.showDateTime=true',
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
  ]
  const all = [`-Xmx${heapMb}m`, ...flags, ...log, '-cp', jars.classpath, mainClass, ...args]
  return startProcess(await javaCommand(), all, {
    ...(input === undefined ? {} : { input }),
    ...(openInput === undefined ? {} : { openInput }),
  })
}

export async function runJava(
  jars: KafkaJars,
  mainClass: string,
  args: readonly string[],
  options: JavaOptions = {},
): Promise<RunResult> {
  await using child = await startJava(jars, mainClass, args, options)
  const exit = await child.waitForExit({ timeoutMs: options.timeoutMs ?? 60_000 })
  if (exit.code !== 0) throw new Error(`${mainClass.split('.').at(-1)} failed:\n${child.tail(30)}`)
  return { ...exit, stdout: child.stdout, stderr: child.stderr }
}
