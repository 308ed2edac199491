import type { HttpConnections } from '../transport/pinned-fetch.ts'

/** The daemon that a command talks to. */
export interface Connection {
  connections: HttpConnections
  /** What a failed call means there, with the way out. */
  explain: (error: unknown) => unknown
}
