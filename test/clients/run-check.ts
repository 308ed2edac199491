import type { KafkaCluster } from '../../src/kafka/cluster.ts'
import type { KafkaAddress } from '../kafka/tools.ts'
import { waitFor } from '../support/process.ts'
import { type Action, type Client, type Member, Refusal } from './client.ts'
import { normalised } from './normalise.ts'
import type { ClientName, ClientStep, JoinStep, Json, SingleStep, Step, StepList } from './steps.ts'
import { settle, storedBatches, untilArrived } from './witness.ts'

/** One of the two that are compared. */
export interface Target {
  name: 'apache' | 'embedded'
  kafka: KafkaAddress
  witness: KafkaCluster
}

/** What came of one step. */
export interface Told {
  /** Which step it was, for people. */
  at: string
  step: SingleStep
  answer: Json
}

const memberTimeoutMs = 40_000

/** Runs the steps of a check in their order; whatever is refused is an answer too, any other failure ends the run. */
export class CheckRun implements AsyncDisposable {
  readonly #target: Target
  readonly #clients: ReadonlyMap<ClientName, Client>
  readonly #prefix: string
  readonly #members = new Map<string, Member>()

  /** Topics and groups of the check get the prefix. */
  constructor(target: Target, clients: ReadonlyMap<ClientName, Client>, prefix: string) {
    this.#target = target
    this.#clients = clients
    this.#prefix = prefix
  }

  async run(steps: readonly Step[], by: ClientName, path = ''): Promise<Told[]> {
    const told: Told[] = []
    for (const [index, step] of steps.entries()) told.push(...(await this.#take(step, by, `${path}${index + 1}`)))
    return told
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.#members.values()].map((member) => member.leave()))
  }

  async #take(step: Step, by: ClientName, number: string): Promise<Told[]> {
    if ('steps' in step) return await this.#takeAll(step, by, number)
    const name = step.by ?? by
    const at = `${number} ${step.do} by ${name}`
    try {
      return [{ at, step, answer: normalised(await this.#answer(this.#named(step), name)) }]
    } catch (cause) {
      const { message } = cause as Error
      throw new Error(`step ${at} at ${this.#target.name}: ${message}`, { cause })
    }
  }

  async #takeAll({ do: how, steps }: StepList, by: ClientName, number: string): Promise<Told[]> {
    if (how === 'inOrder') return await this.run(steps, by, `${number}.`)
    const parts = steps.map((step, index) => this.#take(step, by, `${number}.${index + 1}`))
    return (await Promise.all(parts)).flat()
  }

  #named(step: SingleStep): SingleStep {
    const named = Object.entries(step).map(([key, value]) => {
      return [key, ['topic', 'group', 'transactionalId'].includes(key) ? `${this.#prefix}-${value}` : value]
    })
    return Object.fromEntries(named) as SingleStep
  }

  async #answer(step: SingleStep, by: ClientName): Promise<Json> {
    const { kafka, witness } = this.#target
    switch (step.do) {
      case 'batches':
        return await storedBatches(witness, step.topic, step.partition)
      case 'join':
        return await this.#join(step, by)
      case 'assigned':
        return await answerOf(() => this.#assigned(step.sizes))
      case 'seen':
        return await answerOf(() => this.#seen(step.members, step.count))
      case 'leave':
        await this.#member(step.member).leave()
        return 'done'
      case 'kill':
        await this.#member(step.member).kill!()
        return 'done'
    }
    const action = this.#client(by).actions[step.do] as Action<ClientStep['do']> | undefined
    if (!action) throw new Error(`${by} has no such step`)
    return await answerOf(async () => {
      if (step.do === 'produce' && step.acks === 0) return await untilArrived(witness, step, () => action(kafka, step))
      const answer = await action(kafka, step)
      await settle(witness, step)
      return answer
    })
  }

  async #join(step: JoinStep, by: ClientName): Promise<Json> {
    const client = this.#client(by)
    return await answerOf(async () => {
      this.#members.set(step.member, await client.join(this.#target.kafka, step))
      return 'done'
    })
  }

  async #assigned(sizes: Record<string, number>): Promise<Json> {
    const held = () => Object.keys(sizes).map((name) => this.#member(name).partitions())
    const wanted = Object.values(sizes)
    const matches = () => {
      const all = held()
      const distinct = new Set(all.flat())
      return all.every((one, index) => one.length === wanted[index]) && distinct.size === all.flat().length
    }
    await watch(matches, `the assignment of ${JSON.stringify(sizes)}`)
    return held()
      .flat()
      .sort((left, right) => left - right)
  }

  /** The values by partition, in the order of their offsets, whoever saw them and however often. */
  async #seen(members: readonly string[], count: number): Promise<Json> {
    const distinct = () => {
      const all = members.flatMap((name) => this.#member(name).seen())
      return new Map(all.map((record) => [`${record.partition}/${record.offset}`, record]))
    }
    await watch(() => distinct().size >= count, `${count} records at ${members}`)
    const records = [...distinct().values()].sort((left, right) => left.offset - right.offset)
    const partitions = [...new Set(records.map(({ partition }) => partition))].sort((left, right) => left - right)
    return Object.fromEntries(
      partitions.map((partition) => {
        return [partition, records.filter((record) => record.partition === partition).map(({ value }) => value)]
      }),
    )
  }

  #client(name: ClientName): Client {
    const client = this.#clients.get(name)
    if (!client) throw new Error(`there is no ${name}`)
    return client
  }

  #member(name: string): Member {
    const member = this.#members.get(name)
    if (!member) throw new Error(`nobody joined as ${name}`)
    return member
  }
}

async function answerOf(work: () => Promise<Json>): Promise<Json> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { error: error.error, ...(error.message ? { message: error.message } : {}) }
  }
}

/** A member that has failed ends the waiting at once. */
async function watch(condition: () => boolean, what: string): Promise<void> {
  let failure: unknown
  const settled = () => {
    try {
      return condition()
    } catch (error) {
      failure = error
      return true
    }
  }
  await waitFor(settled, { timeoutMs: memberTimeoutMs, what })
  if (failure) throw failure
}
