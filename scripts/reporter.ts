import { writeFileSync } from 'node:fs'
import type { EventData } from 'node:test'
import { spec } from 'node:test/reporters'

/** The counts that node:test tells at the end of a run, in its order. */
export const countNames = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo', 'duration_ms'] as const
export type Counts = Record<(typeof countNames)[number], number>

/** Set by the runner: where the counts go. */
export const countsVariable = 'LINKSPAN_TEST_COUNTS'

type TestEvent = { type: string; data: unknown }

/**
 * Node's own spec reporter without its closing counts, which go to a file instead: the runner has several stages and
 * prints one sum.
 */
// biome-ignore lint/style/noDefaultExport: node --test-reporter takes the default export.
export default async function* reportStage(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const reporter = new spec()
  const counts: Partial<Counts> = {}
  const feed = async () => {
    for await (const event of source) {
      const count = countOf(event)
      if (count) counts[count.name] = count.value
      else reporter.write(event)
    }
    reporter.end()
  }
  const feeding = feed()
  for await (const text of reporter) yield String(text)
  await feeding
  const file = process.env[countsVariable]
  if (file) writeFileSync(file, JSON.stringify(counts))
}

function countOf({ type, data }: TestEvent): { name: keyof Counts; value: number } | undefined {
  if (type !== 'test:diagnostic') return undefined
  const { nesting, message } = data as EventData.TestDiagnostic
  const [, name, value] = /^(\w+) ([\d.]+)$/.exec(message) ?? []
  const known = countNames.find((one) => one === name)
  return nesting === 0 && known ? { name: known, value: Number(value) } : undefined
}
