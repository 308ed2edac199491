import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { createTopics } from '../../src/kafka/admin/topics.ts'
import { unwrap } from '../../src/kafka/rounds.ts'
import { describeExit, type Process, startProcess } from '../../test/support/process.ts'
import { ProcessMeter } from './accounting.ts'
import type { BenchKafka } from './brokers.ts'
import type { MirrorContext, MirrorRun } from './mirror-run.ts'
import type { PumpJob } from './pump-process.ts'
import { partitionCount } from './source-topic.ts'

/** Our data path in a process of its own: what of a daemon's cost it is that copies. */
export async function startPump(context: MirrorContext): Promise<MirrorRun> {
  const { source, destination, topic, options } = context
  const [made] = await createTopics(destination.admin, [{ name: topic.name, partitions: partitionCount }])
  const linkId = randomUUID()
  const mirrorId = randomUUID()
  const partition = (index: number) => ({
    linkId,
    mirrorId,
    sourceTopic: topic.name,
    sourceTopicId: topic.topicId,
    topic: topic.name,
    topicId: unwrap(made).topicId,
    partition: index,
    settled: true,
  })
  const job: PumpJob = {
    open: { linkId, source: endOf(source), destination: endOf(destination), settings: options.pumpSettings },
    starts: Array.from({ length: partitionCount }, (_, index) => partition(index)),
  }
  const script = join(import.meta.dirname, 'pump-process.ts')
  const args = [...profileFlags(options.profileFolder), script, JSON.stringify(job)]
  const child = startProcess(process.execPath, args, { openInput: true })
  await child.waitForOutput(/^ready$/m)
  return new PumpRun(child)
}

/** Each thread of a Node process leaves its profile there at its end. */
export function profileFlags(folder: string | undefined): string[] {
  return folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`]
}

function endOf({ spec, kafka }: BenchKafka) {
  return { cluster: spec, kafkaClusterId: kafka.clusterId }
}

class PumpRun implements MirrorRun {
  readonly meters: readonly ProcessMeter[]
  readonly #process: Process

  constructor(child: Process) {
    this.#process = child
    this.meters = [new ProcessMeter('mirror', child.pid)]
  }

  async begin(): Promise<void> {
    this.#process.stdin?.write('begin\n')
  }

  async check(): Promise<void> {
    const { exit, stdout } = this.#process
    const stopped = /^stopped (.*)$/m.exec(stdout)
    if (stopped) throw new Error(`the pump stopped a partition: ${stopped[1]}`)
    if (exit) throw new Error(`the pump ended (${describeExit(exit)}):\n${this.#process.tail(20)}`)
  }

  async verify(): Promise<void> {
    await this.check()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop()
  }
}
