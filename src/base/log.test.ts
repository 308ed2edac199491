import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from './log.ts'

test('a text line shows fields after the sentence, and no control character of a peer survives', () => {
  const lines: string[] = []
  const log = createLog({ level: 'info', format: 'text', write: (line) => lines.push(line) })
  log.info({ topic: 'a\u009b31mb', count: 3 }, 'Mirrored\u001b[2J')
  log.debug({}, 'not shown at this level')
  assert.equal(lines.length, 1)
  assert.match(lines[0] as string, /INFO {2}Mirrored\\x1b\[2J topic="a\\x9b31mb" count=3\n$/)
})

test('json lines stay json', () => {
  const lines: string[] = []
  createLog({ level: 'warn', format: 'json', write: (line) => lines.push(line) }).warn({ partition: 1 }, 'Late')
  const { time, ...rest } = JSON.parse(lines[0] as string) as Record<string, unknown>
  assert.equal(typeof time, 'string')
  assert.deepEqual(rest, { level: 40, partition: 1, msg: 'Late' })
})
