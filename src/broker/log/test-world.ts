import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import type { Clock } from '../../base/clock.ts'
import { type Log, silentLog } from '../../base/log.ts'
import { type BatchOptions, buildBatch, type NewRecord } from '../../records/build.ts'
import { type DecodedRecord, decodeBatch } from '../../records/decode.ts'
import * as header from '../../records/header.ts'
import { BatchCursor } from '../../records/walk.ts'
import { openLogs, type StoredLogs } from './log-directory.ts'
import { chanceOf, TestDisk } from './test-disk.ts'
import type { Appended, AppendOutcome, Isolation, LogConfig, PartitionLog, ReadOutcome } from './types.ts'

export const testConfig: LogConfig = {
  segmentBytes: 1 << 30,
  segmentMs: 7 * 86_400_000,
  retentionMs: -1,
  retentionBytes: -1,
  messageBytesMax: 1 << 20,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: -1,
  timestampAfterMaxMs: 3_600_000,
  indexIntervalBytes: 4096,
}

export const topicId = '3f2504e0-4f89-41d3-9a0c-0305e82c3301'
export const startMs = 1_700_000_000_000

export interface TestClock extends Clock {
  nowMs: number
}

export function testClock(): TestClock {
  const clock: TestClock = { nowMs: startMs, wallMs: () => clock.nowMs, monotonicMs: () => clock.nowMs - startMs }
  return clock
}

export interface WorldOptions {
  disk?: TestDisk
  clock?: TestClock
  log?: Log
  producerExpirationMs?: number
}

export interface World extends AsyncDisposable {
  disk: TestDisk
  clock: TestClock
  logs: StoredLogs
  openLog: (partition?: number, config?: Partial<LogConfig>) => Promise<PartitionLog>
}

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const { disk = new TestDisk(chanceOf(1)), clock = testClock(), log = silentLog } = options
  const { producerExpirationMs = 86_400_000 } = options
  const logs = await openLogs({ folder: '/logs', clock, log, producerExpirationMs, files: disk })
  return {
    disk,
    clock,
    logs,
    openLog: (partition = 0, config = {}) => {
      return logs.open({ topicId, topic: 'orders', partition }, { ...testConfig, ...config })
    },
    [Symbol.asyncDispose]: () => logs[Symbol.asyncDispose](),
  }
}

/** A log of messages that were written to it. */
export function recordingLog(): Log & { lines: { level: string; fields: object; message: string }[] } {
  const lines: { level: string; fields: object; message: string }[] = []
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message })
  const log = { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log }
  return log
}

/** As a client sends it. */
export function batchOf(values: readonly string[], options: BatchOptions & { timestampMs?: number } = {}): Buffer {
  const { timestampMs = startMs, ...rest } = options
  return buildBatch(
    values.map((value) => recordOf(value, timestampMs)),
    rest,
  )
}

export function recordOf(value: string, timestampMs = startMs): NewRecord {
  return { timestampMs, key: null, value: Buffer.from(value) }
}

/** One record, so that sizes are easy to tell: about 70 bytes and the value. */
export function produced(
  producerId: bigint,
  producerEpoch: number,
  baseSequence: number,
  options: { count?: number; timestampMs?: number } = {},
): Buffer {
  const { count = 1, timestampMs = startMs } = options
  const values = Array.from({ length: count }, (_, index) => `${producerId}/${baseSequence + index}`)
  return batchOf(values, { producerId, producerEpoch, baseSequence, timestampMs })
}

export function controlBatch(type: 'abort' | 'commit', options: BatchOptions & { timestampMs?: number }): Buffer {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1])
  const value = Buffer.from([0, 0, 0, 0, 0, 7])
  const record = { timestampMs: options.timestampMs ?? startMs, key, value }
  return buildBatch([record], { isControl: true, isTransactional: true, ...options })
}

export async function appended(outcome: Promise<AppendOutcome>): Promise<Appended> {
  const settled = await outcome
  assert.ok(settled.ok, JSON.stringify(settled))
  return settled.value
}

export async function refused(outcome: Promise<AppendOutcome>): Promise<string> {
  const settled = await outcome
  return settled.ok ? 'taken' : settled.error
}

/** All batches that a reader of the whole log gets, each a copy. */
export async function readAll(
  log: PartitionLog,
  options: { from?: number; bytesMax?: number; isolation?: Isolation } = {},
): Promise<Buffer[]> {
  const { bytesMax = 1 << 20, isolation = 'uncommitted' } = options
  const batches: Buffer[] = []
  let offset = options.from ?? log.bounds.logStartOffset
  for (;;) {
    const outcome = await log.read({ offset, bytesMax, firstBatchWhole: true, isolation })
    assert.ok(outcome.ok, inspect(outcome))
    const read = batchesOf(outcome)
    outcome.release()
    if (read.length === 0) return batches
    batches.push(...read)
    offset = header.lastOffset(read.at(-1)!, 0) + 1
  }
}

export function batchesOf(outcome: ReadOutcome): Buffer[] {
  assert.ok(outcome.ok)
  const bytes = Buffer.from(outcome.records)
  const cursor = new BatchCursor()
  cursor.open(bytes, 0, bytes.length, Number.MAX_SAFE_INTEGER)
  const batches: Buffer[] = []
  while (cursor.next()) {
    const batch = bytes.subarray(cursor.at, cursor.at + cursor.size)
    assert.equal(header.computeCrc(batch, 0, batch.length), header.crc(batch, 0))
    batches.push(batch)
  }
  assert.equal(cursor.stop, 'end', 'only whole batches are read')
  return batches
}

export async function readRecords(log: PartitionLog, from?: number): Promise<DecodedRecord[]> {
  const batches = await readAll(log, from === undefined ? {} : { from })
  return batches.flatMap((batch) => decodeBatch(batch, 0, { decompressedBytesMax: 1 << 24 }))
}

export async function readValues(log: PartitionLog, from?: number): Promise<string[]> {
  return (await readRecords(log, from)).map(({ value }) => Buffer.from(value ?? []).toString())
}

/** As many turns of the event loop as anything in memory takes. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise<void>((next) => setImmediate(next))
}
