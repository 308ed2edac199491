import { readFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'
import { javaCommand } from '../../test/kafka/java.ts'
import { run } from '../../test/support/process.ts'

/** What figures were taken on: without it they mean nothing to others. */
export async function describeMachine() {
  const [first] = cpus()
  const { stderr } = await run(await javaCommand(), ['-version'])
  const load = await readFile('/proc/loadavg', 'utf8')
  return {
    cores: cpus().length,
    processor: first?.model ?? 'unknown',
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    java: /version "([^"]+)"/.exec(stderr)?.[1] ?? 'unknown',
    loadAtEnd: load.trim(),
  }
}
