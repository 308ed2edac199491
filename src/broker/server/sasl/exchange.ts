/** One SASL exchange on the server's side. `failed` says nothing about what was wrong: it goes to the client. */
export interface SaslExchange {
  step(message: Uint8Array): ExchangeStep
}

export type ExchangeStep =
  | { kind: 'more'; answer: Buffer }
  | { kind: 'done'; user: string; answer: Buffer }
  | { kind: 'failed'; message: string }

/** Of a message before the login; longer ones are no names and passwords. */
export const saslMessageBytesMax = 8192

/** Strict: bytes that are no UTF-8 are no name that anybody has. */
export function saslText(message: Uint8Array): string | undefined {
  if (message.length > saslMessageBytesMax) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(message)
  } catch {
    return undefined
  }
}
