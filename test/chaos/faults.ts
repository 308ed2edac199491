import { sleep } from '../../src/base/clock.ts'
import type { SeededRandom } from './random.ts'
import type { ChaosWorld, SiteName } from './world.ts'

const sites: readonly SiteName[] = ['west', 'east']
const holdMsMin = 300
const holdMsMax = 3000

interface Fault {
  name: string
  happen: (world: ChaosWorld) => Promise<void>
}

/** The next fault, and what it is called in the log. */
export function nextFault(random: SeededRandom): Fault {
  const site = random.pick(sites)
  const holdMs = random.between(holdMsMin, holdMsMax)
  const hold = () => sleep(holdMs)
  return random.pick<Fault>([
    { name: `kill -9 the broker of ${site}`, happen: (world) => world.killBroker(site) },
    { name: `stop the broker of ${site} for ${holdMs} ms`, happen: (world) => world.freezeBroker(site, hold) },
    { name: `kill -9 the daemon of ${site}`, happen: (world) => world.killDaemon(site) },
    { name: `stop the daemon of ${site} for ${holdMs} ms`, happen: (world) => world.freezeDaemon(site, hold) },
    { name: `pause the mirror for ${holdMs} ms`, happen: (world) => world.pauseMirror(hold) },
  ])
}
