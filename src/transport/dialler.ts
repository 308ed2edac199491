import type { OnReadOpts, Socket } from 'node:net'

/** What is dialled is always a role, never a host: hosts are known to the dialler alone (a tunnel blanks them). */
export type DialTarget = { kind: 'bootstrap' } | { kind: 'node'; nodeId: number }

export interface BrokerAddress {
  nodeId: number
  host: string
  port: number
}

export interface DialOptions {
  /** Reads straight into the caller's buffers; sockets that we dial can do this, accepted ones cannot. */
  onread?: OnReadOpts
  signal?: AbortSignal
}

/**
 * Opens byte streams to the brokers of one Kafka cluster: plain, TLS, or through a cluster link's tunnel. The stream is
 * ready to carry Kafka frames (SASL, where the cluster asks for it, is the connection's business).
 * Errors: `unreachable`, `timeout`, `wrong-fingerprint`, `not-permitted`.
 */
export interface Dialler extends AsyncDisposable {
  dial(target: DialTarget, options?: DialOptions): Promise<Socket>
  /** Takes the addresses of a metadata answer; a tunnel ignores them. */
  learn(brokers: BrokerAddress[]): void
}
