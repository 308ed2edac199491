import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../support/process.ts'
import { cached, cacheFolder } from './cache.ts'
import type { KafkaJars } from './jars.ts'
import { javaCommand } from './java.ts'

/** For short runs, where the start counts and peak speed does not; not for benchmarks. */
const base = [
  '-XX:TieredStopAtLevel=1',
  '-XX:+UseSerialGC',
  '-XX:-UsePerfData',
  '-Xlog:disable',
  '-Xlog:all=error:stderr',
]
const archiveName = 'classes.jsa'

/**
 * With an archive of Kafka's parsed classes (application class data sharing) a broker starts in half the time. One is
 * made for each release of Kafka and Java by a first broker that runs for this alone; a Java that cannot make or use
 * one goes on without.
 */
export async function quickFlags(jars: KafkaJars): Promise<string[]> {
  const archive = join(cacheFolder(), await archiveFolder(jars), archiveName)
  return existsSync(archive) ? [...base, `-XX:SharedArchiveFile=${archive}`] : base
}

/** `train` runs a broker with the given flags and shuts it down in good order. */
export async function makeClassArchive(jars: KafkaJars, train: (flags: string[]) => Promise<void>): Promise<void> {
  await cached(await archiveFolder(jars), (folder) => {
    return train([...base, `-XX:ArchiveClassesAtExit=${join(folder, archiveName)}`])
  })
}

const javaKeys = new Map<string, string>()

async function archiveFolder({ version }: KafkaJars): Promise<string> {
  const command = await javaCommand()
  if (!javaKeys.has(command)) {
    const { stderr } = await run(command, ['-version'])
    javaKeys.set(command, createHash('sha256').update(command).update(stderr).digest('hex').slice(0, 12))
  }
  return `kafka-${version}-classes-${javaKeys.get(command)}`
}
