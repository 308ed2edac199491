/**
 * What the embedded broker is set to, in the units of Kafka's own keys. Defaults are Apache Kafka's, except where one
 * machine asks for others; each is a key of `--broker-config`.
 */
export interface BrokerConfig {
  nodeId: number
  /** Of topics that are made by being used. */
  numPartitions: number
  autoCreateTopics: boolean
  /** Of one request frame. */
  requestBytesMax: number
  /** Of one fetch answer, whatever is asked. */
  fetchBytesMax: number
  /** How long a producer is remembered, by the timestamp of its last batch. */
  producerExpirationMs: number
  /** How long a rebalance waits for a group's first members. */
  groupInitialRebalanceDelayMs: number
  groupSessionTimeoutMinMs: number
  groupSessionTimeoutMaxMs: number
  groupMembersMax: number
  offsetMetadataBytesMax: number
  /** How long offsets of a group without members are kept. */
  offsetsRetentionMs: number
  /** How often retention looks at the logs. */
  retentionCheckIntervalMs: number
  connectionsMax: number
  /** A connection that sends nothing for so long is closed. */
  connectionIdleMs: number
}

export const brokerDefaults: BrokerConfig = {
  nodeId: 1,
  numPartitions: 1,
  autoCreateTopics: true,
  requestBytesMax: 100 * 1024 * 1024,
  fetchBytesMax: 55 * 1024 * 1024,
  producerExpirationMs: 86_400_000,
  groupInitialRebalanceDelayMs: 0,
  groupSessionTimeoutMinMs: 6000,
  groupSessionTimeoutMaxMs: 1_800_000,
  groupMembersMax: 10_000,
  offsetMetadataBytesMax: 4096,
  offsetsRetentionMs: 7 * 86_400_000,
  retentionCheckIntervalMs: 300_000,
  connectionsMax: 10_000,
  connectionIdleMs: 600_000,
}

export const securityProtocols = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const
export type SecurityProtocol = (typeof securityProtocols)[number]

export const saslMechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
export type SaslMechanism = (typeof saslMechanisms)[number]

/** How clients come in, as plain data: it crosses threads, and holds secrets (never log it). */
export interface ListenerSecurity {
  protocol: SecurityProtocol
  /** Only where the protocol is one of SASL. */
  mechanisms: readonly SaslMechanism[]
  users: readonly { name: string; password: string }[]
  /** Only where the protocol is one of TLS. */
  tls?: ServerCertificate
}

export interface ServerCertificate {
  certificatePem: string
  privateKeyPem: string
  privateKeyPassword?: string
}

/** What topics have unless they say otherwise, by the names of their own configs, as `--broker-config` sets it. */
export type TopicDefaults = Readonly<Record<string, string>>
