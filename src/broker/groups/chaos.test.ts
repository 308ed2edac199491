import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { settle, text, World } from './test-world.ts'
import type { JoinRequest, JoinResult, SyncResult } from './types.ts'

/** A consumer as clients are: it does what the answers tell it, until it dies. */
class Consumer {
  readonly #world: World
  readonly #change: Partial<JoinRequest>
  readonly instanceId: string | null
  readonly #open: Set<string>
  memberId = ''
  generation = -1
  /** The generation and the leader that its assignment is from. */
  assigned: { generation: number; leader: string } | undefined
  waiting = false
  alive = true
  #calls = 0
  #joined: JoinResult | undefined

  constructor(world: World, change: Partial<JoinRequest>, open: Set<string>) {
    this.#world = world
    this.#change = change
    this.instanceId = change.instanceId ?? null
    this.#open = open
  }

  /** What its poll loop does now and then. */
  poll(): void {
    if (!this.alive || this.waiting) return
    if (this.assigned) this.#judge(this.#world.heartbeat(this, this.instanceId))
    if (this.alive && !this.assigned) this.#join()
  }

  leave(): void {
    this.alive = false
    this.#world.groups.leave('readers', [{ memberId: this.memberId, instanceId: this.instanceId }])
  }

  #join(): void {
    this.assigned = undefined
    const { answer } = this.#world.join({ ...this.#change, memberId: this.memberId, instanceId: this.instanceId })
    this.#wait('join', answer, (result) => {
      if (result.error !== 'NONE' && result.error !== 'MEMBER_ID_REQUIRED') return this.#judge(result.error)
      this.memberId = result.memberId
      if (result.error === 'MEMBER_ID_REQUIRED') return this.#join()
      this.generation = result.generation
      this.#joined = result
      return this.#sync()
    })
  }

  #sync(): void {
    const joined = this.#joined!
    const leads = joined.leader === joined.memberId && !joined.skipAssignment
    const assignment = text(JSON.stringify({ generation: joined.generation, leader: joined.memberId }))
    const assignments = leads ? joined.members.map(({ memberId }) => ({ memberId, assignment })) : []
    const { answer } = this.#world.sync(joined, { instanceId: this.instanceId, assignments })
    this.#wait('sync', answer, (result) => this.#take(result))
  }

  #take({ error, assignment }: SyncResult): void {
    this.#judge(error)
    if (error === 'NONE') this.assigned = JSON.parse(Buffer.from(assignment).toString())
  }

  #judge(error: string): void {
    if (error === 'NONE') return
    this.assigned = undefined
    if (error === 'UNKNOWN_MEMBER_ID') this.memberId = ''
    if (error === 'FENCED_INSTANCE_ID') this.alive = false
    const known = ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'COORDINATOR_NOT_AVAILABLE', 'UNKNOWN_MEMBER_ID']
    assert.ok([...known, 'FENCED_INSTANCE_ID'].includes(error), error)
  }

  /** Of one that died meanwhile nobody looks at the answer; it has to come all the same. */
  #wait<Result>(what: string, answer: Promise<Result>, then: (result: Result) => void): void {
    const call = `${what} ${this.memberId} ${this.#calls++}`
    this.#open.add(call)
    this.waiting = true
    void answer.then((result) => {
      this.#open.delete(call)
      this.waiting = false
      if (this.alive) then(result)
    })
  }
}

type Step =
  | { kind: 'start'; instance: number; options: Partial<JoinRequest> }
  | { kind: 'poll' | 'leave' | 'die' | 'restart'; which: number }
  | { kind: 'pass'; ms: number }
  | { kind: 'poll-all' | 'broker-restart' | 'disk-fails' | 'disk-slow' }

const options: fc.Arbitrary<Partial<JoinRequest>> = fc.record({
  requiresMemberId: fc.boolean(),
  skipsAssignment: fc.boolean(),
  sessionTimeoutMs: fc.constantFrom(6000, 10_000, 45_000),
  rebalanceTimeoutMs: fc.constantFrom(5000, 60_000),
  protocols: fc.constantFrom(
    [{ name: 'range', metadata: text('r') }],
    [
      { name: 'sticky', metadata: text('s') },
      { name: 'range', metadata: text('r') },
    ],
  ),
})

const which = fc.nat(7)
const start = fc.record({ kind: fc.constant('start' as const), instance: fc.nat(5), options })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: start },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('poll' as const, 'die' as const), which }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('leave' as const, 'restart' as const), which }) },
  { weight: 8, arbitrary: fc.constant({ kind: 'poll-all' as const }) },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1, 1000, 3000, 20_000) }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: 'disk-slow' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('broker-restart' as const, 'disk-fails' as const) }) },
)

const consumersMax = 8

class Chaos {
  readonly world = new World({ config: { groupInitialRebalanceDelayMs: 1000 } })
  readonly open = new Set<string>()
  consumers: Consumer[] = []
  /** Ends the slowness of the disk. */
  #hurry: () => void = () => {}

  async run(step: Step): Promise<void> {
    const { world, consumers } = this
    switch (step.kind) {
      case 'start':
        return this.#start(step.instance, step.options)
      case 'pass':
        return world.time.pass(step.ms)
      case 'poll-all':
        for (const consumer of consumers) consumer.poll()
        return
      case 'broker-restart':
        this.#hurry()
        return world.restart()
      case 'disk-fails':
        world.disk.failing = !world.disk.failing
        return
      case 'disk-slow':
        this.#hurry()
        world.disk.slow = new Promise((resolve) => {
          this.#hurry = resolve
          world.time.alarm(2000, resolve)
        })
        return
      default:
        return this.#change(step.kind, consumers[step.which])
    }
  }

  #start(instance: number, change: Partial<JoinRequest>): void {
    if (this.consumers.length >= consumersMax) return
    // One in two is static; two that claim to be the same happen too.
    const instanceId = instance < 3 ? `instance-${instance}` : null
    const consumer = new Consumer(this.world, { ...change, instanceId }, this.open)
    this.consumers.push(consumer)
    consumer.poll()
  }

  #change(kind: 'poll' | 'leave' | 'die' | 'restart', consumer: Consumer | undefined): void {
    if (!consumer?.alive) return
    if (kind === 'poll') {
      consumer.poll()
      return
    }
    if (kind === 'leave') consumer.leave()
    consumer.alive = false
    if (kind === 'restart') this.#start(consumer.instanceId === null ? 5 : Number(consumer.instanceId.at(-1)), {})
  }

  /** Whoever the coordinator takes for a member is of one generation, and has what that generation's leader gave. */
  check(): void {
    this.consumers = this.consumers.filter(({ alive }) => alive)
    const group = this.world.groups.describe('readers')
    if (group?.state !== 'Stable') return
    const stable = this.consumers.filter((one) => {
      return one.assigned && this.world.heartbeat(one, one.instanceId) === 'NONE'
    })
    for (const { assigned, generation } of stable) assert.equal(assigned!.generation, generation)
    assert.ok(new Set(stable.map(({ generation }) => generation)).size <= 1, 'two generations')
    assert.ok(new Set(stable.map(({ assigned }) => assigned!.leader)).size <= 1, 'two leaders have assigned')
    for (const { assignment } of group.members) assert.ok(assignment.length > 0, 'a member without assignment')
  }

  /** With the disk well again and everybody polling, all have to find together. */
  async calm(): Promise<void> {
    this.world.disk.failing = false
    for (let round = 0; round < 120; round += 1) {
      for (const consumer of this.consumers) consumer.poll()
      await this.world.time.pass(2500)
    }
    this.check()
    assert.deepEqual([...this.open], [], 'somebody waits for ever')
    const alive = this.consumers.map(({ memberId }) => memberId).sort()
    const group = this.world.groups.describe('readers')
    assert.deepEqual(group?.members.map(({ memberId }) => memberId).sort() ?? [], alive)
    assert.equal(group?.state ?? 'Empty', alive.length > 0 ? 'Stable' : 'Empty')
    for (const { assigned } of this.consumers) assert.ok(assigned, 'somebody has no assignment')
  }
}

test('whatever members, disk and broker do: one generation at a time, and nobody waits for ever', async () => {
  const someStarts = fc.array(start, { minLength: 2, maxLength: 5 })
  const property = fc.asyncProperty(someStarts, fc.array(step, { maxLength: 60 }), async (starts, steps) => {
    const chaos = new Chaos()
    await chaos.world.start()
    for (const one of [...starts, { kind: 'pass' as const, ms: 3000 }, ...steps]) {
      await chaos.run(one)
      await settle()
      chaos.check()
    }
    await chaos.calm()
    await chaos.world.stop()
  })
  await fc.assert(property, { numRuns: 60 })
})
