/**
 * The one error table. A code is what callers act on; the message names the cause and, where there is one, the way out.
 * `exit` is the CLI's exit code (0 done, 1 refused or failed, 2 wrong usage, 3 not reachable, 4 not permitted,
 * 5 verification found a difference); `retry` says whether the same call can succeed later.
 * HTTP statuses are each dialect's own business (`api/<dialect>/errors.ts`).
 */
export const errorTable = {
  usage: { exit: 2, retry: 'no' },
  'invalid-request': { exit: 1, retry: 'no' },
  'invalid-config': { exit: 1, retry: 'no' },
  immutable: { exit: 1, retry: 'no' },
  unsupported: { exit: 1, retry: 'no' },
  'not-found': { exit: 1, retry: 'no' },
  'already-exists': { exit: 1, retry: 'no' },
  'in-use': { exit: 1, retry: 'no' },
  'state-conflict': { exit: 1, retry: 'no' },
  'precondition-failed': { exit: 1, retry: 'after-refresh' },
  'not-trusted': { exit: 4, retry: 'no' },
  'not-permitted': { exit: 4, retry: 'no' },
  'token-undecodable': { exit: 1, retry: 'no' },
  'token-unknown': { exit: 1, retry: 'no' },
  'token-expired': { exit: 1, retry: 'no' },
  'token-type': { exit: 1, retry: 'no' },
  'wrong-fingerprint': { exit: 1, retry: 'no' },
  'own-token': { exit: 1, retry: 'no' },
  unreachable: { exit: 3, retry: 'later' },
  timeout: { exit: 3, retry: 'later' },
  'rate-limited': { exit: 1, retry: 'later' },
  'too-large': { exit: 1, retry: 'no' },
  malformed: { exit: 1, retry: 'no' },
  corrupt: { exit: 1, retry: 'no' },
  closed: { exit: 1, retry: 'later' },
  kafka: { exit: 1, retry: 'no' },
  'kafka-retriable': { exit: 1, retry: 'later' },
  'kafka-not-permitted': { exit: 4, retry: 'no' },
  'kafka-unknown-topic': { exit: 1, retry: 'no' },
  'not-exact': { exit: 1, retry: 'no' },
  'foreign-write': { exit: 1, retry: 'no' },
  'source-changed': { exit: 1, retry: 'no' },
  'destination-changed': { exit: 1, retry: 'no' },
  difference: { exit: 5, retry: 'no' },
  'state-locked': { exit: 1, retry: 'later' },
  'state-too-new': { exit: 1, retry: 'no' },
  storage: { exit: 1, retry: 'later' },
  internal: { exit: 1, retry: 'no' },
} as const satisfies Record<string, { exit: 1 | 2 | 3 | 4 | 5; retry: 'no' | 'later' | 'after-refresh' }>

export type ErrorCode = keyof typeof errorTable

export interface ErrorOptions {
  cause?: unknown
  /** Machine-readable facts: never secrets. */
  details?: Record<string, unknown>
}

/** Every error that a user or another room may act on. Anything else that is thrown is a bug of ours. */
export class LinkspanError extends Error {
  override readonly name = 'LinkspanError'
  readonly code: ErrorCode
  readonly details: Record<string, unknown>

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
  }

  get exitCode(): number {
    return errorTable[this.code].exit
  }

  get retry(): 'no' | 'later' | 'after-refresh' {
    return errorTable[this.code].retry
  }
}

export function isLinkspanError(error: unknown, ...codes: ErrorCode[]): error is LinkspanError {
  return error instanceof LinkspanError && (codes.length === 0 || codes.includes(error.code))
}

/** The text for a person: the message, followed by the messages of its causes that add something. */
export function explainError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const parts = [error.message || error.name]
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    if (cause.message && !parts.some((part) => part.includes(cause.message))) parts.push(cause.message)
  }
  return parts.join(': ')
}

/** For our own bugs only: what a peer or a user can cause is a LinkspanError. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Assertion failed: ${message}`)
}
