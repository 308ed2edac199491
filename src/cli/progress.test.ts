import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { Progress } from './progress.ts'

function terminal(isTTY: boolean): { stream: NodeJS.WriteStream; written: () => string } {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 10 })
  return { stream: stream as unknown as NodeJS.WriteStream, written: () => String(stream.read() ?? '') }
}

test('one line is rewritten, and taken away at the end', () => {
  const { stream, written } = terminal(true)
  {
    using progress = new Progress({ quiet: false, stream })
    progress.update('one')
    progress.update('far too long for it')
  }
  const clear = '\r\u001b[2K'
  assert.equal(written(), `${clear}one${clear}far too …${clear}`)
})

test('nothing is shown without a terminal, or when asked for quiet', () => {
  for (const [isTTY, quiet] of [
    [false, false],
    [true, true],
  ] as const) {
    const { stream, written } = terminal(isTTY)
    using progress = new Progress({ quiet, stream })
    progress.update('one')
    assert.equal(written(), '')
  }
})
