import type { Pin } from './pinned.ts'

/**
 * How to reach and log in to one Kafka cluster, as plain data: it crosses threads, and holds secrets (never log it).
 */
export type ClusterSpec = DirectSpec | TunnelSpec

/** Straight to bootstrap servers, with Kafka credentials. */
export interface DirectSpec {
  reach: 'kafka'
  clientId: string
  bootstrap: { host: string; port: number }[]
  /**
   * Of the embedded broker of this very daemon: every dial goes to this Unix socket, whichever broker is meant, and the
   * addresses only name it in messages.
   */
  socketPath?: string
  tls?: TlsSpec
  sasl?: SaslSpec
}

/** Through the tunnel of a linked Linkspan, with the trust of the cluster link and no Kafka credential. */
export interface TunnelSpec {
  reach: 'peer'
  clientId: string
  /** `host:port` of the peer's TLS port, tried in turn. */
  addresses: string[]
  /** Pin of the peer's cluster certificate. */
  fingerprint: Pin
  /** Our cluster certificate and key, PEM: what the peer knows us by. */
  certificatePem: string
  privateKeyPem: string
}

export interface TlsSpec {
  /** PEM of the trusted roots; the system's when missing. */
  ca?: string
  certificatePem?: string
  privateKeyPem?: string
  privateKeyPassword?: string
  /** False only for `ssl.endpoint.identification.algorithm=` (empty), which the operator sets on purpose. */
  verifyHost: boolean
}

export type SaslSpec = {
  mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
  username: string
  password: string
}
