import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chanceOf, TestDisk } from './test-disk.ts'
import { PlainModel, RawModel } from './test-model.ts'
import { openWorld, settle, testConfig, type World } from './test-world.ts'
import type { PartitionLog } from './types.ts'

const runs = Number(process.env.LINKSPAN_PROPERTY_RUNS ?? 80)
/** Small, so that rolls, indexes and checkpoints happen all the time. */
const config = { segmentBytes: 3000, indexIntervalBytes: 200 }

type Step =
  | { kind: 'append'; producer: number; count: number; size: number }
  | { kind: 'raw'; choice: number; gap: number }
  | { kind: 'restart'; offset: number }
  | { kind: 'delete'; fraction: number }
  | { kind: 'retain'; bytes: number }
  | { kind: 'turn' }
  | { kind: 'settle' }
  | { kind: 'reopen' }

const fraction = fc.double({ min: 0, max: 1, noNaN: true })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      producer: fc.nat(2),
      count: fc.integer({ min: 1, max: 3 }),
      size: fc.constantFrom(1, 30, 400),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('raw' as const), choice: fc.nat(20), gap: fc.constantFrom(0, 0, 1, 50) }),
  },
  fc.record({ kind: fc.constant('restart' as const), offset: fc.nat(1000) }),
  fc.record({ kind: fc.constant('delete' as const), fraction }),
  fc.record({ kind: fc.constant('retain' as const), bytes: fc.constantFrom(-1, 0, 4000) }),
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('settle' as const) }) },
  fc.record({ kind: fc.constant('reopen' as const) }),
)

interface Site {
  world: World
  plain: PartitionLog
  raw: PartitionLog
}

interface Models {
  plain: PlainModel
  raw: RawModel
}

async function openSite(disk: TestDisk): Promise<Site> {
  const world = await openWorld({ disk })
  return { world, plain: await world.openLog(0, config), raw: await world.openLog(1, config) }
}

/** Steps are not waited for: what they ask for overlaps. */
async function work(site: Site, models: Models, steps: readonly Step[]): Promise<void> {
  let asked: Promise<unknown>[] = []
  /** The mirror waits for its own answers: what it writes next depends on them. */
  let mirroring = Promise.resolve()
  const ask = (one: Promise<unknown> | undefined) => {
    if (one !== undefined) asked.push(one.catch(() => {}))
  }
  const mirror = (task: () => Promise<void>) => {
    mirroring = mirroring.then(task).catch(() => {})
    ask(mirroring)
  }
  for (const one of steps) {
    if (site.world.disk.isCut) break
    switch (one.kind) {
      case 'append':
        ask(models.plain.append(site.plain, one.producer, one.count, one.size))
        break
      case 'raw':
        mirror(() => models.raw.append(site.raw, one.choice, one.gap))
        break
      case 'restart':
        mirror(() => models.raw.restartAt(site.raw, one.offset))
        break
      case 'delete':
        ask(models.plain.deleteRecords(site.plain, one.fraction))
        break
      case 'retain':
        models.plain.retained()
        site.plain.configure({ ...testConfig, ...config, retentionBytes: one.bytes })
        ask(site.world.logs.checkRetention())
        break
      case 'turn':
        await new Promise<void>((next) => setImmediate(next))
        break
      case 'settle':
        await Promise.all(asked)
        asked = []
        break
      case 'reopen':
        await Promise.all(asked)
        asked = []
        await site.world.logs[Symbol.asyncDispose]()
        if (!site.world.disk.isCut) Object.assign(site, await openSite(site.world.disk).catch(() => ({})))
        break
    }
  }
  await Promise.all(asked)
}

/** Opens what is left; recovery may be interrupted by another loss of power. */
async function reopen(crashed: TestDisk, seed: number, cutAt: number): Promise<Site> {
  let disk = crashed
  disk.cutAt = cutAt
  try {
    const site = await openSite(disk)
    if (!disk.isCut) {
      disk.cutAt = Number.POSITIVE_INFINITY
      return site
    }
  } catch (error) {
    assert.ok(disk.isCut, String(error))
  }
  await settle()
  disk = disk.crash(chanceOf(seed))
  return await openSite(disk)
}

test('power loss: whatever unsynced is lost, what was acknowledged is there once, in its place', async () => {
  const life = fc.record({
    steps: fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }),
    cutAt: fc.integer({ min: 1, max: 400 }),
    /** Killed only: what was not synced stays to be seen, and to be lost later. */
    isKilled: fc.boolean(),
    recoveryCutAt: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(1_000_000)),
    seed: fc.nat(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 4 }), async (lives) => {
      const models: Models = { plain: new PlainModel(), raw: new RawModel() }
      let site = await openSite(new TestDisk(chanceOf(7)))
      for (const { steps, cutAt, isKilled, recoveryCutAt, seed } of lives) {
        const { disk } = site.world
        disk.cutAt = disk.operations + cutAt
        await work(site, models, steps)
        disk.cutAt = 0
        await settle()
        const left = isKilled ? disk.afterKill() : disk.crash(chanceOf(seed))
        site = await reopen(left, seed + 1, recoveryCutAt)
        await models.plain.reconcile(site.plain)
        await models.raw.reconcile(site.raw)
      }
    }),
    { numRuns: runs },
  )
})

test('power loss: at every single operation of a day in the life of two logs', async () => {
  const seeds = process.env.LINKSPAN_PROPERTY_RUNS ? 50 : 2
  const append = (producer: number, size: number): Step => ({ kind: 'append', producer, count: 2, size })
  const raw = (choice: number): Step => ({ kind: 'raw', choice, gap: choice % 2 })
  const settled: Step = { kind: 'settle' }
  const day: Step[] = [
    ...[append(0, 400), append(1, 1), raw(3), append(2, 400), settled],
    ...[append(0, 400), raw(4), raw(7), append(1, 400), append(0, 1), settled],
    ...[{ kind: 'retain', bytes: -1 } as const, append(1, 400), raw(6), settled],
    ...[{ kind: 'delete', fraction: 0.4 } as const, append(1, 400), { kind: 'turn' } as const, append(2, 400), settled],
    ...[{ kind: 'restart', offset: 77 } as const, raw(5), raw(10), append(1, 400), settled],
    ...[{ kind: 'retain', bytes: 4000 } as const, append(0, 400), raw(14), { kind: 'reopen' } as const, append(2, 1)],
  ]
  for (let cutAt = 1, isOver = false; !isOver; cutAt += 1) {
    for (let seed = 1; seed <= seeds; seed += 1) {
      const models: Models = { plain: new PlainModel(), raw: new RawModel() }
      const site = await openSite(new TestDisk(chanceOf(seed)))
      const { disk } = site.world
      disk.cutAt = disk.operations + cutAt
      await work(site, models, day)
      isOver = !disk.isCut
      disk.cutAt = 0
      await settle()
      const found = await reopen(disk.crash(chanceOf(seed * 1000 + cutAt)), seed, Number.POSITIVE_INFINITY)
      await models.plain.reconcile(found.plain)
      await models.raw.reconcile(found.raw)
    }
    assert.ok(cutAt < 1000)
  }
})
