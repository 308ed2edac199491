import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { LinkspanError } from '../../base/errors.ts'
import { silentLog } from '../../base/log.ts'
import type { RowChange, RowLog, StoredRow } from '../../store/row-log.ts'
import { openStoreOn, type Store } from '../../store/store.ts'
import { type BrokerConfig, brokerDefaults } from '../config.ts'
import { GroupCoordinator } from './coordinator.ts'
import type { GroupLimits } from './limits.ts'
import type { CommitPartition, CommitRequest, JoinRequest, JoinResult, SyncRequest, SyncResult } from './types.ts'

/** Rows that outlive their store, on a disk that can be slow or fail. */
export class Disk implements RowLog {
  readonly place = 'memory'
  readonly rows = new Map<string, StoredRow>()
  appends = 0
  failing = false
  slow: Promise<void> | undefined

  async load(): Promise<StoredRow[]> {
    return [...this.rows.values()]
  }

  async append(changes: readonly RowChange[]): Promise<void> {
    await this.slow
    this.appends += 1
    if (this.failing) throw new LinkspanError('storage', 'the disk is full')
    for (const { kind, key, value } of changes) {
      if (value === null) this.rows.delete(`${kind}/${key}`)
      else this.rows.set(`${kind}/${key}`, { kind, key, value })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Time that goes only when it is told to, and rings what is due on the way. */
export class ManualTime {
  nowMs = 1_000_000
  #alarms: { dueMs: number; ring: () => void }[] = []

  wallMs = () => 1_700_000_000_000 + this.nowMs
  monotonicMs = () => this.nowMs

  alarm = (delayMs: number, ring: () => void) => {
    const alarm = { dueMs: this.nowMs + delayMs, ring }
    this.#alarms.push(alarm)
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== alarm)
    }
  }

  /** Lets the others have their turn after each ring. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms
    await settle()
    for (;;) {
      const next = this.#alarms.filter(({ dueMs }) => dueMs <= untilMs).sort((one, two) => one.dueMs - two.dueMs)[0]
      if (!next) break
      this.#alarms = this.#alarms.filter((other) => other !== next)
      this.nowMs = Math.max(this.nowMs, next.dueMs)
      next.ring()
      await settle()
    }
    this.nowMs = untilMs
  }
}

/** Until the store has committed what was asked for. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise<void>((next) => setImmediate(next))
}

export interface WorldOptions {
  config?: Partial<BrokerConfig>
  limits?: Partial<GroupLimits>
}

export class World {
  readonly disk = new Disk()
  readonly time = new ManualTime()
  readonly #options: WorldOptions
  store!: Store
  groups!: GroupCoordinator

  constructor(options: WorldOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const config = { ...brokerDefaults, ...this.#options.config }
    const { time } = this
    const limits = this.#options.limits ?? {}
    this.store = await openStoreOn(this.disk, { log: silentLog })
    this.groups = new GroupCoordinator({
      store: this.store,
      clock: time,
      log: silentLog,
      config,
      alarm: time.alarm,
      limits,
    })
  }

  async stop(): Promise<void> {
    await this.groups[Symbol.asyncDispose]()
    await this.store[Symbol.asyncDispose]()
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** As a client of v9 does it, without the round trip for its id, unless `change` says otherwise. */
  join(change: Partial<JoinRequest> = {}): Call<JoinResult> {
    return call(
      this.groups.join({
        groupId: 'readers',
        memberId: '',
        instanceId: null,
        clientId: 'client',
        clientHost: '/10.0.0.1',
        sessionTimeoutMs: 10_000,
        rebalanceTimeoutMs: 60_000,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: subscription(['orders']) }],
        requiresMemberId: false,
        skipsAssignment: true,
        ...change,
      }),
    )
  }

  sync(joined: JoinResult, change: Partial<SyncRequest> = {}): Call<SyncResult> {
    const { memberId, generation, protocolType, protocolName } = joined
    const assignments = joined.members.map(({ memberId: to }) => ({ memberId: to, assignment: text(`for ${to}`) }))
    return call(
      this.groups.sync({
        groupId: 'readers',
        memberId,
        instanceId: null,
        generation,
        protocolType,
        protocolName,
        assignments,
        ...change,
      }),
    )
  }

  heartbeat(joined: Pick<JoinResult, 'memberId' | 'generation'>, instanceId: string | null = null): string {
    const { memberId, generation } = joined
    return this.groups.heartbeat({ groupId: 'readers', memberId, instanceId, generation })
  }

  /** Members that have joined and synchronised, the leader first. */
  async stable(...changes: Partial<JoinRequest>[]): Promise<JoinResult[]> {
    const joins = changes.map((change) => this.join(change))
    await this.time.pass(10)
    const joined = joins.map(({ result }) => result!)
    assert.deepEqual(
      joined.map(({ error }) => error),
      changes.map(() => 'NONE'),
    )
    const syncs = joined.map((one, index) => this.sync(one, { instanceId: changes[index]!.instanceId ?? null }))
    await settle()
    assert.deepEqual(
      syncs.map(({ result }) => result?.error),
      changes.map(() => 'NONE'),
    )
    return joined
  }

  commit(partitions: Partial<CommitPartition>[], change: Partial<CommitRequest> = {}): Promise<string[]> {
    const whole = partitions.map((partition) => {
      return { topic: 'orders', partition: 0, offset: 1, leaderEpoch: -1, metadata: '', ...partition }
    })
    return this.groups.commit({
      groupId: 'readers',
      memberId: '',
      instanceId: null,
      generation: -1,
      retentionMs: -1,
      tellsMissingGroup: true,
      partitions: whole,
      ...change,
    })
  }

  get state(): string | undefined {
    return this.groups.describe('readers')?.state
  }
}

export async function openWorld(t: TestContext, options: WorldOptions = {}): Promise<World> {
  const world = new World(options)
  await world.start()
  t.after(() => world.stop())
  return world
}

/** A call whose answer can be looked at without waiting for it. */
export interface Call<Result> {
  result: Result | undefined
  readonly answer: Promise<Result>
}

export function call<Result>(answer: Promise<Result>): Call<Result> {
  const made: Call<Result> = {
    result: undefined,
    answer: answer.then((result) => {
      made.result = result
      return result
    }),
  }
  return made
}

export function text(value: string): Uint8Array {
  return Buffer.from(value)
}

/** What a consumer gives the leader to know: version 1, with what later versions add behind. */
export function subscription(topics: string[]): Uint8Array {
  const parts = topics.map((topic) => {
    const length = Buffer.alloc(2)
    length.writeInt16BE(topic.length)
    return Buffer.concat([length, Buffer.from(topic)])
  })
  const head = Buffer.alloc(6)
  head.writeInt16BE(1)
  head.writeInt32BE(topics.length, 2)
  return Buffer.concat([head, ...parts, Buffer.from('later')])
}
