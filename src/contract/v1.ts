import { type Static, type TSchema, Type } from 'typebox'

/**
 * LXD's dialect, `/1.0`: the shapes of its bodies. In what clients send, null, an empty text and nothing at all mean
 * the same, so every member of a request that is not needed may be missing or null. Unknown members are ignored.
 */
const Text = Type.String()
const Texts = Type.Array(Text)
const given = <Schema extends TSchema>(schema: Schema) => Type.Optional(Type.Union([schema, Type.Null()]))
const choice = <const Values extends readonly string[]>(values: Values) => {
  return Type.Unsafe<Values[number]>({ type: 'string', enum: values })
}
const TextMap = Type.Record(Text, Text)
/** Values of a config map: LXD's clients send texts, people also write numbers and booleans. */
const ConfigInput = Type.Record(Text, Type.Union([Text, Type.Number(), Type.Boolean(), Type.Null()]))

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

const AccessEntitlements = Type.Optional(Texts)

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
    }),
  ),
})
export type ClusterLinkState = Static<typeof ClusterLinkState>

/** Ours: `GET /1.0/cluster/certificate`. */
export const ClusterCertificate = Type.Object({
  certificate: Text,
  fingerprint: Text,
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
})
export type ClusterMember = Static<typeof ClusterMember>

/** What the API shows as an object and the CLI as base64. */
export const TrustTokenObject = Type.Object({
  client_name: Text,
  fingerprint: Text,
  addresses: Texts,
  secret: Text,
  expires_at: Text,
  type: Text,
})
export type TrustTokenObject = Static<typeof TrustTokenObject>

export const identityTypes = [
  'Client certificate',
  'Client certificate (pending)',
  'Cluster link certificate',
  'Cluster link certificate (pending)',
] as const
export type IdentityType = (typeof identityTypes)[number]

export const Permission = Type.Object({ entity_type: Text, url: Text, entitlement: Text })
export type Permission = Static<typeof Permission>

export const PermissionInfo = Type.Object({
  ...Permission.properties,
  groups: Type.Union([Texts, Type.Null()]),
})
export type PermissionInfo = Static<typeof PermissionInfo>

export const Identity = Type.Object({
  access_entitlements: AccessEntitlements,
  authentication_method: Type.Literal('tls'),
  type: choice(identityTypes),
  id: Text,
  name: Text,
  groups: Texts,
  tls_certificate: Text,
  expires_at: Type.Optional(Text),
})
export type Identity = Static<typeof Identity>

export const IdentityInfo = Type.Object({
  ...Identity.properties,
  effective_groups: Texts,
  effective_permissions: Type.Array(Permission),
  fine_grained: Type.Boolean(),
})
export type IdentityInfo = Static<typeof IdentityInfo>

/** The API extension of those that take `next_tls_certificate`. */
export const certificateAnnouncements = 'linkspan_certificate_announcements'

export const IdentityPut = Type.Object({
  groups: given(Texts),
  tls_certificate: given(Text),
  /** Ours: announces the certificate that will follow; both are accepted until it is taken over, or for a time. */
  next_tls_certificate: given(Text),
  /** Ours, with either of the two: how often the cluster that tells it was restored from a backup, from 1. */
  generation: given(Type.Integer({ minimum: 1 })),
})
export type IdentityPut = Static<typeof IdentityPut>

export const IdentitiesTlsPost = Type.Object({
  name: given(Text),
  trust_token: given(Text),
  token: given(Type.Boolean()),
  certificate: given(Text),
  groups: given(Texts),
})
export type IdentitiesTlsPost = Static<typeof IdentitiesTlsPost>

export const AuthGroup = Type.Object({
  access_entitlements: AccessEntitlements,
  name: Text,
  description: Text,
  permissions: Type.Array(Permission),
  identities: Type.Record(Text, Texts),
  identity_provider_groups: Texts,
})
export type AuthGroup = Static<typeof AuthGroup>

export const AuthGroupPut = Type.Object({ description: given(Text), permissions: given(Type.Array(Permission)) })
export type AuthGroupPut = Static<typeof AuthGroupPut>

export const AuthGroupsPost = Type.Object({ name: Text, ...AuthGroupPut.properties })
export type AuthGroupsPost = Static<typeof AuthGroupsPost>

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
