import { startKafka } from '../kafka/broker.ts'
import type { KafkaLine } from '../kafka/jars.ts'
import { sharedKafka } from '../kafka/shared.ts'
import type { KafkaAddress } from '../kafka/tools.ts'
import { embeddedBroker } from './daemon.ts'
import { type LinkedSites, linkSites } from './sites.ts'

/** What may stand at either end of a mirror. */
export const brokerKinds = [embeddedBroker, '3.9', '4'] as const satisfies readonly (
  | typeof embeddedBroker
  | KafkaLine
)[]
export type BrokerKind = (typeof brokerKinds)[number]

/** Every two kinds, both ways: the one list that the scenarios of mirrors run over. */
export const everyPair: readonly (readonly [from: BrokerKind, to: BrokerKind])[] = brokerKinds.flatMap((from) => {
  return brokerKinds.map((to) => [from, to] as const)
})

/** Two linked sites on brokers of these kinds: shared clusters where there is one for each, own ones else. */
export async function linkPair(from: BrokerKind, to: BrokerKind): Promise<LinkedSites> {
  await using stack = new AsyncDisposableStack()
  let west: KafkaAddress | typeof embeddedBroker = embeddedBroker
  if (from !== embeddedBroker)
    west = from === to ? stack.use(await startKafka({ version: from })) : await sharedKafka(from)
  const east = to === embeddedBroker ? embeddedBroker : await sharedKafka(to)
  const sites = await linkSites(west, east)
  const owned = stack.move()
  return {
    west: sites.west,
    east: sites.east,
    [Symbol.asyncDispose]: async () => {
      await sites[Symbol.asyncDispose]()
      await owned.disposeAsync()
    },
  }
}
