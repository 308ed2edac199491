import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../support/process.ts'
import { cached } from './cache.ts'
import { javaCommand } from './java.ts'

/** The newest of the two lines that are tested against; any other release can be named in full. */
export const kafkaVersions = { '3.9': '3.9.1', '4': '4.3.1' } as const

export type KafkaLine = keyof typeof kafkaVersions
export type KafkaVersion = KafkaLine | `${number}.${number}.${number}`

export interface KafkaJars {
  /** In full, such as `4.3.1`. */
  version: string
  folder: string
  /** For `java -cp`. */
  classpath: string
  clientsJar: string
}

/**
 * Kafka's jars, brought by Maven (so that the user's mirrors and proxies apply) into the cache, or those of the
 * unpacked Kafka distribution that `LINKSPAN_TEST_KAFKA_3_9` or `LINKSPAN_TEST_KAFKA_4` names.
 */
export async function kafkaJars(wanted: KafkaVersion): Promise<KafkaJars> {
  const own = process.env[`LINKSPAN_TEST_KAFKA_${wanted.replaceAll('.', '_')}`]
  const version = wanted in kafkaVersions ? kafkaVersions[wanted as KafkaLine] : wanted
  const folder = own ? join(own, 'libs') : await cached(`kafka-${version}`, (target) => fetchJars(version, target))
  const clients = (await readdir(folder)).find((name) => /^kafka-clients-\d[^-]*\.jar$/.test(name))
  if (!clients) throw new Error(`There is no kafka-clients jar in ${folder}: remove the folder, or name another one`)
  return {
    version: /^kafka-clients-(.*)\.jar$/.exec(clients)![1]!,
    folder,
    classpath: join(folder, '*'),
    clientsJar: join(folder, clients),
  }
}

async function fetchJars(version: string, folder: string): Promise<void> {
  const pom = join(import.meta.dirname, 'pom.xml')
  const goal = ['-q', '-B', '-f', pom, `-Dkafka.version=${version}`, `-DoutputDirectory=${folder}`]
  const { code, stdout, stderr } = await run('mvn', [...goal, 'dependency:copy-dependencies'], { timeoutMs: 300_000 })
  if (code === 0) return
  const reason = `${stdout}${stderr}`.split('\n').find((line) => /ERROR|not found|ENOENT/.test(line)) ?? `exit ${code}`
  throw new Error(
    `Apache Kafka ${version} could not be brought by Maven (${reason.trim()}): install Maven ("mvn"), ` +
      'or name unpacked Kafka distributions in LINKSPAN_TEST_KAFKA_3_9 and LINKSPAN_TEST_KAFKA_4',
  )
}

/**
 * For `test(name, await kafkaAvailable(), …)`. Where Kafka cannot be had, tests against it are skipped with the reason
 * on a developer's machine, and fail with the same reason where `CI` is set.
 */
export async function kafkaAvailable(...versions: KafkaVersion[]): Promise<{ skip: string | false }> {
  if (process.env.CI) return { skip: false }
  try {
    await javaCommand()
    for (const version of versions.length === 0 ? (['3.9', '4'] as const) : versions) await kafkaJars(version)
    return { skip: false }
  } catch (error) {
    return { skip: (error as Error).message }
  }
}
