import { type Static, Type } from 'typebox'
import { AccessEntitlements, ConfigInput, choice, given, Text, TextMap, Texts } from './v1-shape.ts'

/**
 * LXD's dialect, `/1.0`: the shapes of its bodies. In what clients send, null, an empty text and nothing at all mean
 * the same, so every member of a request that is not needed may be missing or null. Unknown members are ignored.
 */
export * from './v1-trust.ts'

export const Envelope = Type.Object({
  type: Type.Union([Type.Literal('sync'), Type.Literal('async'), Type.Literal('error')]),
  status: Text,
  status_code: Type.Integer(),
  operation: Text,
  error_code: Type.Integer(),
  error: Text,
  metadata: Type.Unknown(),
})
export type Envelope = Static<typeof Envelope>

export const clusterLinkTypes = ['bidirectional', 'unidirectional', 'public'] as const
export type ClusterLinkType = (typeof clusterLinkTypes)[number]

export const ClusterLink = Type.Object({
  access_entitlements: AccessEntitlements,
  name: Text,
  description: Text,
  type: choice(clusterLinkTypes),
  config: TextMap,
  used_by: Texts,
})
export type ClusterLink = Static<typeof ClusterLink>

export const ClusterLinkPut = Type.Object({ description: given(Text), config: given(ConfigInput) })
export type ClusterLinkPut = Static<typeof ClusterLinkPut>

export const ClusterLinksPost = Type.Object({
  name: given(Text),
  type: given(Text),
  description: given(Text),
  config: given(ConfigInput),
  trust_token: given(Text),
  auth_groups: given(Texts),
  cluster_certificate: given(Text),
  remote_address: given(Text),
  /** Confirms a public link: of the certificate that was found. */
  fingerprint: given(Text),
  /** Ours: those of this cluster's addresses that a new token is to name. */
  addresses: given(Texts),
})
export type ClusterLinksPost = Static<typeof ClusterLinksPost>

/** Renames. */
export const NamePost = Type.Object({ name: Text })
export type NamePost = Static<typeof NamePost>

export const ClusterLinkCertificate = Type.Object({ fingerprint: Text, certificate: Text })
export type ClusterLinkCertificate = Static<typeof ClusterLinkCertificate>

export const clusterLinkStatuses = ['Active', 'Unreachable', 'Unauthenticated'] as const
export type ClusterLinkStatus = (typeof clusterLinkStatuses)[number]

export const ClusterLinkState = Type.Object({
  cluster_link_members: Type.Array(
    Type.Object({
      server_name: Text,
      address: Text,
      status: choice(clusterLinkStatuses),
      /** Ours: why it is not Active. */
      reason: Type.Optional(Text),
      /** Ours, RFC 3339: when this address last answered as the peer, since the daemon started. */
      last_seen_at: Type.Optional(Text),
      /** Ours, milliseconds: one question and its answer on a connection that is open. */
      round_trip_ms: Type.Optional(Type.Number()),
    }),
  ),
})
export type ClusterLinkState = Static<typeof ClusterLinkState>

/** Ours: where a linked cluster, the caller, is reached from now on; `host:port`, at most eight. */
export const AddressesPut = Type.Object({ addresses: Texts })
export type AddressesPut = Static<typeof AddressesPut>

/** Ours: the certificate that followed another one, and the signature by that one's key. */
export const CertificateSuccession = Type.Object({
  /** Fingerprint of the one that went. */
  previous: Text,
  certificate: Text,
  generation: Type.Integer(),
  issued_at: Text,
  /** ECDSA or RSA with SHA-384, in hex. */
  signature: Text,
})
export type CertificateSuccession = Static<typeof CertificateSuccession>

/** Ours: `GET /1.0/cluster/certificate`. */
export const ClusterCertificate = Type.Object({
  certificate: Text,
  fingerprint: Text,
  /** Oldest first, for whoever pins one that went. */
  succession: Type.Array(CertificateSuccession),
  /** Null when every linked cluster knows the certificate. */
  rotation: Type.Union([
    Type.Null(),
    Type.Object({
      previous: Text,
      next: Text,
      /** The port and the links use the next one. */
      switched: Type.Boolean(),
      started_at: Text,
      /** Links whose other side does not know the next one yet, and why. */
      untold: Type.Array(Type.Object({ link: Text, problem: Text })),
    }),
  ]),
})
export type ClusterCertificate = Static<typeof ClusterCertificate>

export const ClusterCertificatePut = Type.Object({ cluster_certificate: Text, cluster_certificate_key: Text })
export type ClusterCertificatePut = Static<typeof ClusterCertificatePut>

export const ClusterMember = Type.Object({
  server_name: Text,
  url: Text,
  database: Type.Boolean(),
  status: Text,
  message: Text,
  architecture: Text,
  roles: Texts,
  failure_domain: Text,
  description: Text,
  config: TextMap,
  groups: Texts,
  /** Ours: every `host:port` under which the member can be reached; `url` names the first. */
  addresses: Type.Optional(Texts),
})
export type ClusterMember = Static<typeof ClusterMember>

export const Cluster = Type.Object({
  server_name: Text,
  enabled: Type.Boolean(),
  member_config: Type.Array(Type.Unknown()),
})
export type Cluster = Static<typeof Cluster>

export const warningSeverities = ['low', 'moderate', 'high'] as const
export const warningStatuses = ['new', 'acknowledged', 'resolved'] as const

export const Warning = Type.Object({
  uuid: Text,
  location: Text,
  project: Text,
  type: Text,
  /** How often it was raised. */
  count: Type.Integer(),
  first_seen_at: Text,
  last_seen_at: Text,
  last_message: Text,
  severity: choice(warningSeverities),
  status: choice(warningStatuses),
  entity_url: Text,
})
export type Warning = Static<typeof Warning>

export const WarningPut = Type.Object({ status: given(Text) })
export type WarningPut = Static<typeof WarningPut>

/** A running daemon. LXD's shape, of which the machine's own parts are empty. */
export const Instance = Type.Object({
  access_entitlements: AccessEntitlements,
  name: Text,
  description: Text,
  status: Text,
  status_code: Type.Integer(),
  type: Text,
  architecture: Text,
  config: TextMap,
  devices: Type.Record(Text, Type.Unknown()),
  profiles: Texts,
  ephemeral: Type.Boolean(),
  stateful: Type.Boolean(),
  location: Text,
  project: Text,
})
export type Instance = Static<typeof Instance>

/** The first members are LXD's, the others ours: what a backup says of itself. */
export const InstanceBackup = Type.Object({
  name: Text,
  created_at: Text,
  /** LXD's zero time: never. */
  expires_at: Text,
  instance_only: Type.Boolean(),
  optimized_storage: Type.Boolean(),
  /** Bytes of the file. */
  size: Type.Integer(),
  instance: Text,
  cluster_id: Text,
  /** How often the cluster had been restored, from 1. */
  generation: Type.Integer(),
  /** Of the certificate whose key signed it. */
  fingerprint: Text,
  /** Whose secret opens it. */
  recovery_key: Text,
  version: Text,
})
export type InstanceBackup = Static<typeof InstanceBackup>

export const InstanceBackupsPost = Type.Object({ name: given(Text), expires_at: given(Text) })
export type InstanceBackupsPost = Static<typeof InstanceBackupsPost>

/** Ours: what could be proven of a backup without the secret that opens it. */
export const BackupProof = Type.Object({
  ...InstanceBackup.properties,
  /** SHA-256 of what is signed. */
  digest: Text,
  /** The certificate that signed it is the one that the other side has now. */
  current: Type.Boolean(),
})
export type BackupProof = Static<typeof BackupProof>

export const Environment = Type.Object({
  addresses: Texts,
  architectures: Texts,
  certificate: Text,
  certificate_fingerprint: Text,
  kernel: Text,
  kernel_architecture: Text,
  kernel_version: Text,
  os_name: Text,
  os_version: Text,
  server: Text,
  server_clustered: Type.Boolean(),
  server_name: Text,
  server_pid: Type.Integer(),
  server_version: Text,
  storage: Text,
  /** Ours: the ids of this Linkspan cluster and of the Kafka that it fronts. */
  cluster_id: Text,
  kafka_cluster_id: Type.Union([Text, Type.Null()]),
})
export type Environment = Static<typeof Environment>

/** `GET /1.0`; untrusted callers get no `environment` and no `auth_user_*`. */
export const Server = Type.Object({
  api_extensions: Texts,
  api_status: Text,
  api_version: Text,
  auth: Type.Union([Type.Literal('trusted'), Type.Literal('untrusted')]),
  auth_methods: Texts,
  auth_user_method: Type.Optional(Text),
  auth_user_name: Type.Optional(Text),
  client_certificate: Type.Boolean(),
  config: TextMap,
  environment: Type.Optional(Environment),
  public: Type.Boolean(),
  /**
   * Ours: the generation that was restored from a backup, in the place of the untrusted caller, whose certificate was
   * trusted once; or in the place of this very server, as a linked cluster told it.
   */
  superseded_by: Type.Optional(Type.Integer()),
})
export type Server = Static<typeof Server>

export const ServerPut = Type.Object({ config: given(ConfigInput) })
export type ServerPut = Static<typeof ServerPut>

export const Requestor = Type.Object({
  username: Text,
  protocol: Text,
  address: Text,
  user_agent: Type.Optional(Text),
})
export type Requestor = Static<typeof Requestor>

export const operationStatuses = {
  Running: 103,
  Cancelling: 104,
  Success: 200,
  Failure: 400,
  Cancelled: 401,
} as const
export type OperationStatus = keyof typeof operationStatuses

export const Operation = Type.Object({
  id: Text,
  class: Type.Union([Type.Literal('task'), Type.Literal('token'), Type.Literal('websocket')]),
  description: Text,
  created_at: Text,
  updated_at: Text,
  status: Text,
  status_code: Type.Integer(),
  resources: Type.Record(Text, Texts),
  metadata: Type.Union([Type.Record(Text, Type.Unknown()), Type.Null()]),
  may_cancel: Type.Boolean(),
  err: Text,
  err_code: Type.Integer(),
  child_count: Type.Integer(),
  location: Text,
  requestor: Type.Optional(Requestor),
})
export type Operation = Static<typeof Operation>

export const eventTypes = ['lifecycle', 'operation', 'security', 'logging'] as const
export type EventType = (typeof eventTypes)[number]

/** One text frame of the `/1.0/events` WebSocket. */
export const Event = Type.Object({
  type: choice(eventTypes),
  timestamp: Text,
  metadata: Type.Unknown(),
  location: Text,
  project: Type.Optional(Text),
})
export type Event = Static<typeof Event>

export const LifecycleMetadata = Type.Object({
  action: Text,
  source: Text,
  context: Type.Optional(Type.Record(Text, Type.Unknown())),
  requestor: Type.Optional(Requestor),
  name: Type.Optional(Text),
  project: Type.Optional(Text),
})
export type LifecycleMetadata = Static<typeof LifecycleMetadata>

export const SecurityMetadata = Type.Object({
  name: Text,
  level: Type.Union([Type.Literal('info'), Type.Literal('warning')]),
  description: Text,
  request_path: Type.Optional(Text),
  request_method: Type.Optional(Text),
  project: Type.Optional(Text),
  requestor: Type.Optional(Requestor),
})
export type SecurityMetadata = Static<typeof SecurityMetadata>
