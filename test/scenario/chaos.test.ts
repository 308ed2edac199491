import { test } from 'node:test'
import { runChaos } from '../chaos/main.ts'
import { kafkaAvailable } from '../kafka/jars.ts'

/** A short walk of what `npm run chaos` does for as long as one likes. */
test(
  'brokers and daemons of both sides killed and stopped while data flows: equal',
  await kafkaAvailable('3.9', '4'),
  async (t) => {
    await runChaos({ minutes: 0.4, seed: 76, say: (line) => t.diagnostic(line) })
  },
)
