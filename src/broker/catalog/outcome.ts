import type { KafkaErrorName } from '../../wire/errors.ts'

/** Why something is not done, as Kafka's answers tell it. */
export interface Refusal {
  readonly error: KafkaErrorName
  readonly message: string
}

export type Outcome<T> = { readonly ok: true; readonly value: T } | ({ readonly ok: false } & Refusal)

export function done<T>(value: T): Outcome<T> {
  return { ok: true, value }
}

export function refused(error: KafkaErrorName, message: string): { readonly ok: false } & Refusal {
  return { ok: false, error, message: sayable(message) }
}

/** What a client has sent can be repeated to him as far as it fits an answer, and a screen. */
const messageCharactersMax = 1000

export function sayable(message: string): string {
  return message.length <= messageCharactersMax ? message : `${message.slice(0, messageCharactersMax)}…`
}
