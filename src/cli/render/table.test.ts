import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { barredTable, boxedTable, type Cell, compactTable, fieldTable } from './table.ts'
import { displayWidth, escapeControls } from './text.ts'

const headers = ['Name', 'Groups']
const rows: Cell[][] = [
  ['a', ['one', 'two']],
  ['länger 漢字', 12],
]

test('the box is that of LXD', () => {
  assert.equal(
    boxedTable(headers, rows),
    [
      '+-------------+--------+',
      '|    NAME     | GROUPS |',
      '+-------------+--------+',
      '| a           | one    |',
      '|             | two    |',
      '+-------------+--------+',
      '| länger 漢字 | 12     |',
      '+-------------+--------+',
    ].join('\n'),
  )
  assert.equal(boxedTable(['NAME'], []), '+------+\n| NAME |\n+------+')
})

test('the compact form has no rules', () => {
  assert.equal(
    compactTable(headers, rows),
    ['  NAME         GROUPS', '  a            one', '               two', '  länger 漢字  12'].join('\n'),
  )
})

test('the barred list and the box of fields are those of Confluent', () => {
  assert.equal(barredTable(headers, [['a', 'b']]), [' Name | Groups', '------+--------', ' a    | b'].join('\n'))
  assert.equal(
    fieldTable([
      ['Name', 'x'],
      ['Id', 7],
    ]),
    ['+------+---+', '| Name | x |', '| Id   | 7 |', '+------+---+'].join('\n'),
  )
})

test('no text can break out of its cell', () => {
  assert.equal(escapeControls('a\u001b[31m\nb\u202e'), 'a\\u{1b}[31m\\nb\\u{202e}')
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))), (cells) => {
      const lines = boxedTable(headers, cells).split('\n')
      assert.equal(lines.length, 3 + 2 * cells.length)
      assert.equal(new Set(lines.map(displayWidth)).size, 1)
    }),
  )
})
