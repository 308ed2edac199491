import { kafkaJars } from '../../kafka/jars.ts'
import { type JavaOptions, type KafkaAddress, startJava } from '../../kafka/tools.ts'
import type { Process } from '../../support/process.ts'
import { refusalIn } from '../errors-by-text.ts'

const tools = {
  topics: 'org.apache.kafka.tools.TopicCommand',
  configs: 'kafka.admin.ConfigCommand',
  groups: 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  acls: 'org.apache.kafka.tools.AclCommand',
  offsets: 'org.apache.kafka.tools.GetOffsetShell',
  deleteRecords: 'org.apache.kafka.tools.DeleteRecordsCommand',
  producer: 'org.apache.kafka.tools.ConsoleProducer',
  consumer: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  producerPerformance: 'org.apache.kafka.tools.ProducerPerformance',
  consumerPerformance: 'org.apache.kafka.tools.ConsumerPerformance',
} as const
type Tool = keyof typeof tools

const timeoutMs = 40_000
/** So many at a time: they would only keep each other waiting. */
const atOnceMax = 3

let running = 0
const waiting: (() => void)[] = []

/** What a tool prints. A refusal that it only tells of, and ends with code 0, is thrown as well. */
export async function outputOf(
  kafka: KafkaAddress,
  tool: Tool,
  args: readonly string[],
  options: JavaOptions = {},
): Promise<string> {
  return (await runTool(kafka, tool, args, options)).stdout
}

export async function runTool(
  kafka: KafkaAddress,
  tool: Tool,
  args: readonly string[],
  options: JavaOptions = {},
): Promise<Process> {
  await using _turn = await takeTurn()
  await using child = await startTool(kafka, tool, args, options)
  const { code } = await child.waitForExit({ timeoutMs })
  const refusal = refusalIn(child.output)
  if (refusal) throw refusal
  if (code === 0) return child
  throw new Error(`${tool} ${args.join(' ')} failed:\n${child.tail()}`)
}

export async function startTool(
  kafka: KafkaAddress,
  tool: Tool,
  args: readonly string[],
  options: JavaOptions = {},
): Promise<Process> {
  const jars = await kafkaJars('4')
  return await startJava(jars, tools[tool], ['--bootstrap-server', kafka.bootstrap, ...args], options)
}

async function takeTurn(): Promise<AsyncDisposable> {
  if (running < atOnceMax) running += 1
  else await new Promise<void>((resolve) => waiting.push(resolve))
  return {
    [Symbol.asyncDispose]: async () => {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    },
  }
}
