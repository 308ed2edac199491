import { randomBytes } from 'node:crypto'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cached } from './cache.ts'
import type { KafkaJars } from './jars.ts'
import { formatProperties, type Properties } from './properties.ts'
import { defaultUsers, type SaslMechanism } from './security.ts'
import { runJava } from './tools.ts'

const checkpoint = 'bootstrap.checkpoint'

/** A node's data folder, ready for its first start. */
export async function formatNode(
  folder: string,
  { nodeId, clusterId, template }: { nodeId: number; clusterId: string; template: string },
): Promise<void> {
  await mkdir(folder)
  await copyFile(join(template, checkpoint), join(folder, checkpoint))
  const identity = { version: '1', 'cluster.id': clusterId, 'node.id': String(nodeId), 'directory.id': kafkaUuid() }
  await writeFile(join(folder, 'meta.properties'), formatProperties(identity))
}

/**
 * Kafka's own StorageTool takes a second of Java's start for every node. What it writes depends on the release and on
 * the SCRAM users only (and on nothing else of the node but `meta.properties`), so it runs once and is copied.
 */
export async function formatTemplate(
  jars: KafkaJars,
  scram: { mechanism: SaslMechanism; users: Record<string, string> } | undefined,
  scratch: string,
): Promise<string> {
  if (!scram) return await cached(`kafka-${jars.version}-format`, (folder) => runStorageTool(jars, folder, []))
  const users = Object.entries(scram.users).flatMap(([name, password]) => {
    return ['--add-scram', `${scram.mechanism}=[name=${name},password=${password}]`]
  })
  const format = async (folder: string) => {
    await mkdir(folder, { recursive: true })
    await runStorageTool(jars, folder, users)
  }
  const common = JSON.stringify(scram.users) === JSON.stringify(defaultUsers)
  if (common) return await cached(`kafka-${jars.version}-format-${scram.mechanism.toLowerCase()}`, format)
  const folder = join(scratch, 'format')
  await format(folder)
  return folder
}

async function runStorageTool(jars: KafkaJars, folder: string, extra: string[]): Promise<void> {
  const settings: Properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': '1@127.0.0.1:1',
    'controller.listener.names': 'CONTROLLER',
    listeners: 'PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0',
    'log.dirs': folder,
  }
  const file = join(folder, 'format.properties')
  await writeFile(file, formatProperties(settings))
  await runJava(jars, 'kafka.tools.StorageTool', ['format', '-t', kafkaUuid(), '-c', file, ...extra])
}

/** As Kafka writes them: 16 bytes in base64url; those that start with a dash would be read as an option. */
export function kafkaUuid(): string {
  for (;;) {
    const text = randomBytes(16).toString('base64url')
    if (!text.startsWith('-')) return text
  }
}
