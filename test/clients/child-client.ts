import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { KafkaAddress } from '../kafka/tools.ts'
import { guardProcess, releaseProcess } from '../support/watchdog.ts'
import { type Action, type Actions, errorName, type Member, Refusal, type SeenRecord } from './client.ts'
import type { ClientStep, JoinStep, Json } from './steps.ts'

/** Kafka's code, or one of the client's own with its name. */
interface Refused {
  code: number
  name: string
  message: string
}

interface Answer {
  id: number
  answer?: Json
  refused?: Refused
  failed?: string
}

/** What a member tells at any time. */
interface MemberEvent {
  member: number
  partitions?: number[]
  records?: [partition: number, offset: number, value: string | null][]
  refused?: Refused
  failed?: string
}

interface Command {
  command: string
  args: readonly string[]
  env?: Record<string, string>
}

const stderrCharactersMax = 20_000

/**
 * A client in another language: one process that takes steps as lines of JSON, works on many at a time, and answers in
 * lines of JSON.
 */
export class ChildClient implements AsyncDisposable {
  readonly #find: () => Promise<Command>
  readonly #pending = new Map<number, { resolve: (answer: Json) => void; reject: (error: Error) => void }>()
  readonly #members = new Map<number, ChildMember>()
  #starting: Promise<ChildProcess> | undefined
  #nextId = 1
  #stderr = ''

  constructor(find: () => Promise<Command>) {
    this.#find = find
  }

  actions(names: readonly ClientStep['do'][]): Actions {
    const action: Action<never> = (kafka, step) => this.#ask(kafka, step)
    return Object.fromEntries(names.map((name) => [name, action])) as Actions
  }

  async join(kafka: KafkaAddress, step: JoinStep): Promise<Member> {
    const id = this.#nextId
    const member = new ChildMember(async () => {
      await this.#ask(kafka, { do: 'leave', joined: id })
    })
    this.#members.set(id, member)
    await this.#ask(kafka, step)
    return member
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = await this.#starting?.catch(() => undefined)
    if (!child || child.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.ref()
    child.stdin?.end()
    const impatience = setTimeout(() => child.kill('SIGKILL'), 5000)
    await ended
    clearTimeout(impatience)
  }

  async #ask(kafka: KafkaAddress, step: object): Promise<Json> {
    const id = this.#nextId
    this.#nextId += 1
    this.#starting ??= this.#start()
    const child = await this.#starting
    return await new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      child.stdin?.write(`${JSON.stringify({ id, bootstrap: kafka.bootstrap, step })}\n`)
    })
  }

  async #start(): Promise<ChildProcess> {
    const { command, args, env } = await this.#find()
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } })
    if (child.pid !== undefined) guardProcess(child.pid)
    child.once('error', (error) => this.#end(error.message))
    child.once('exit', (code, signal) => {
      if (child.pid !== undefined) releaseProcess(child.pid)
      this.#end(`it ended (${code ?? signal}): ${this.#stderr}`)
    })
    child.stdin.on('error', () => {})
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrCharactersMax)
    })
    createInterface({ input: child.stdout }).on('line', (line) => this.#take(line))
    return child
  }

  #take(line: string): void {
    const message = JSON.parse(line) as Answer | MemberEvent
    if ('member' in message) {
      this.#members.get(message.member)?.take(message)
      return
    }
    const pending = this.#pending.get(message.id)
    this.#pending.delete(message.id)
    const error = errorOf(message)
    if (error) pending?.reject(error)
    else pending?.resolve(message.answer ?? null)
  }

  #end(reason: string): void {
    for (const { reject } of this.#pending.values()) reject(new Error(reason))
    this.#pending.clear()
  }
}

function errorOf({ refused, failed }: Pick<Answer, 'refused' | 'failed'>): Error | undefined {
  if (refused) return new Refusal(refused.code > 0 ? errorName(refused.code) : refused.name, refused.message)
  return failed === undefined ? undefined : new Error(failed)
}

class ChildMember implements Member {
  readonly leave: () => Promise<void>
  readonly #seen: SeenRecord[] = []
  #partitions: number[] = []
  #failure: Error | undefined

  constructor(leave: () => Promise<void>) {
    this.leave = leave
  }

  take(event: MemberEvent): void {
    if (event.partitions) this.#partitions = event.partitions
    for (const [partition, offset, value] of event.records ?? []) this.#seen.push({ partition, offset, value })
    this.#failure ??= errorOf(event)
  }

  partitions(): readonly number[] {
    if (this.#failure) throw this.#failure
    return this.#partitions
  }

  seen(): readonly SeenRecord[] {
    if (this.#failure) throw this.#failure
    return this.#seen
  }
}
