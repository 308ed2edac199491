import { parseArgs } from 'node:util'
import { sleep, systemClock } from '../../src/base/clock.ts'
import { LinkspanError } from '../../src/base/errors.ts'
import { kafkaAvailable } from '../kafka/jars.ts'
import { nextFault } from './faults.ts'
import { SeededRandom } from './random.ts'
import { ChaosWorld } from './world.ts'

const usage =
  'Usage: npm run chaos [-- --minutes N --seed S]: random faults between two sites while data flows, then proof'

/** Runs faults for `minutes`; the same seed chooses the same faults. Throws where the mirror is not equal after. */
export async function runChaos({ minutes, seed, say }: ChaosOptions): Promise<void> {
  const available = await kafkaAvailable('3.9', '4')
  if (available.skip) throw new LinkspanError('unsupported', available.skip)
  say(`seed ${seed}, ${minutes} min`)
  const random = new SeededRandom(seed)
  await using world = await ChaosWorld.open()
  const endMs = systemClock.monotonicMs() + minutes * 60_000
  const writing = writeUntil(world, endMs)
  let faults = 0
  while (systemClock.monotonicMs() < endMs) {
    await sleep(random.between(200, 2000))
    const fault = nextFault(random)
    say(`${String(faults + 1).padStart(4)}  ${fault.name}`)
    await fault.happen(world)
    faults += 1
  }
  await writing
  const { batches, refused } = world.written
  const compared = await world.prove()
  say(`EQUAL after ${faults} faults: ${compared} batches compared (${batches} acknowledged, ${refused} of unknown end)`)
}

interface ChaosOptions {
  minutes: number
  seed: number
  say: (line: string) => void
}

async function writeUntil(world: ChaosWorld, endMs: number): Promise<void> {
  for (let round = 0; systemClock.monotonicMs() < endMs; round += 1) await world.write(round)
}

function numberOf(text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new LinkspanError('usage', usage)
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } })
  const minutes = numberOf(values.minutes, 2)
  const seed = Math.trunc(numberOf(values.seed, systemClock.wallMs() % 1_000_000))
  await runChaos({ minutes, seed, say: (line) => void process.stdout.write(`${line}\n`) })
}
