import type { Client } from './client.ts'
import { openFranzGo } from './drivers/franz-go.ts'
import { openJava } from './drivers/java.ts'
import { openKafkajs } from './drivers/kafkajs.ts'
import { openKcat } from './drivers/kcat.ts'
import { openLibrdkafka } from './drivers/librdkafka.ts'
import { openPlatformatic } from './drivers/platformatic.ts'
import { type ClientName, clientNames } from './steps.ts'

const drivers: Record<ClientName, () => Client> = {
  kcat: openKcat,
  kafkajs: openKafkajs,
  platformatic: openPlatformatic,
  java: openJava,
  librdkafka: openLibrdkafka,
  'franz-go': openFranzGo,
}

export interface FoundClients extends AsyncDisposable {
  clients: ReadonlyMap<ClientName, Client>
  /** Why the others are not there. Where `CI` is set, there are no others. */
  missing: ReadonlyMap<ClientName, string>
}

/** For tests that are skipped as a whole. */
export function noClients(reason: string): FoundClients {
  const missing = new Map(clientNames.map((name) => [name, reason]))
  return { clients: new Map(), missing, [Symbol.asyncDispose]: async () => {} }
}

/** Brings them all, each once for a machine. */
export async function findClients(): Promise<FoundClients> {
  const clients = new Map<ClientName, Client>()
  const missing = new Map<ClientName, string>()
  const opened = clientNames.map((name) => drivers[name]())
  const prepared = await Promise.allSettled(opened.map((client) => client.prepare()))
  for (const [index, client] of opened.entries()) {
    const outcome = prepared[index]!
    if (outcome.status === 'fulfilled') clients.set(client.name, client)
    else missing.set(client.name, (outcome.reason as Error).message)
  }
  return {
    clients,
    missing,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(opened.map((client) => client[Symbol.asyncDispose]()))
    },
  }
}
