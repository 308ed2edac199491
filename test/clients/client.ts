import { kafkaErrors } from '../../src/wire/errors.ts'
import type { Codec } from '../kafka/kcat.ts'
import type { KafkaAddress } from '../kafka/tools.ts'
import type { ClientName, ClientStep, JoinStep, Json } from './steps.ts'

export type Action<D extends ClientStep['do']> = (
  kafka: KafkaAddress,
  step: Extract<ClientStep, { do: D }>,
) => Promise<Json>

/** What a client can do, by the names of the steps. */
export type Actions = { [D in ClientStep['do']]?: Action<D> }

/** One Kafka client. Whatever Kafka refuses ends in a `Refusal`. */
export interface Client extends AsyncDisposable {
  readonly name: ClientName
  readonly codecs: readonly Codec[]
  /** What it can say of each record. */
  readonly writes: { headers: 'each' | 'batch'; timestamps: boolean }
  /** Fails with one sentence that names the ways out. */
  prepare(): Promise<void>
  readonly actions: Actions
  join(kafka: KafkaAddress, step: JoinStep): Promise<Member>
}

/** A member of a consumer group that consumes from the earliest record on and commits what it has seen. */
export interface Member {
  /** As the client itself sees it now. */
  partitions(): readonly number[]
  /** Everything so far, repetitions included. */
  seen(): readonly SeenRecord[]
  /** Commits and leaves. */
  leave(): Promise<void>
  kill?(): Promise<void>
}

export interface SeenRecord {
  partition: number
  offset: number
  value: string | null
}

export interface ReadRecord {
  partition: number
  offset: number
  key: string | null
  value: string | null
  headers: [name: string, value: string | null][]
  timestampMs: number
}

/** What Kafka, or the client in its place, did not do. */
export class Refusal extends Error {
  /** Kafka's name of the error. */
  readonly error: string

  constructor(error: string, message = '') {
    super(message)
    this.error = error
  }
}

const namesByCode = new Map(Object.entries(kafkaErrors).map(([name, code]) => [code as number, name]))

export function errorName(code: number): string {
  return namesByCode.get(code) ?? `error ${code}`
}

export function byPartition(records: ReadRecord[]): Json {
  records.sort((left, right) => left.partition - right.partition || left.offset - right.offset)
  return records as unknown as Json
}
