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

/** Ours: a token that nobody has used yet. Its secret is never told again. */
export const AuthToken = Type.Object({
  name: Text,
  /** As the token has it: the type of the identity that it makes. */
  type: Text,
  /** URL of the pending identity. */
  identity: Text,
  /** URL of the link that waits for it; empty for a token that makes an identity alone. */
  cluster_link: Text,
  created_at: Text,
  expires_at: Text,
})
export type AuthToken = Static<typeof AuthToken>

/** Ours: the addresses that a re-issued token is to name; no body at all means the usual ones. */
export const AuthTokenPost = Type.Union([Type.Object({ addresses: given(Texts) }), Type.Null()])
export type AuthTokenPost = Static<typeof AuthTokenPost>

export const identityTypes = [
  'Client certificate',
  'Client certificate (pending)',
  'Client certificate (unrestricted)',
  'Client certificate (restricted)',
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
  /** Ours, RFC 3339. Of use it is known to the minute; nothing while it was never used. */
  created_at: Type.Optional(Text),
  last_used_at: Type.Optional(Text),
})
export type Identity = Static<typeof Identity>

export const IdentityInfo = Type.Object({
  ...Identity.properties,
  effective_groups: Texts,
  effective_permissions: Type.Array(Permission),
  fine_grained: Type.Boolean(),
})
export type IdentityInfo = Static<typeof IdentityInfo>

export const IdentityPut = Type.Object({ groups: given(Texts), tls_certificate: given(Text) })
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

/** Ours: why an identity may do something, or what would let it. */
export const AuthExplanation = Type.Object({
  /** Its identifier; empty for the local administrator. */
  identity: Text,
  entitlement: Text,
  /** URL. */
  entity: Text,
  allowed: Type.Boolean(),
  /** What no group has to grant, or what keeps it from counting, in one sentence. */
  reason: Type.Optional(Text),
  /** `implies` leads from the permission to what was asked, each step such as `server viewer`. */
  granted_by: Type.Array(Type.Object({ group: Text, permission: Permission, implies: Texts })),
  /** Each of them would be enough, the narrowest first; empty when it is allowed. */
  would_grant: Type.Array(Permission),
})
export type AuthExplanation = Static<typeof AuthExplanation>

/** LXD's older trust store: a certificate that is trusted for everything, or, restricted, for nothing but itself. */
export const Certificate = Type.Object({
  access_entitlements: AccessEntitlements,
  name: Text,
  type: Text,
  restricted: Type.Boolean(),
  projects: Texts,
  /** PEM. */
  certificate: Text,
  fingerprint: Text,
})
export type Certificate = Static<typeof Certificate>

export const CertificatePut = Type.Object({
  name: given(Text),
  type: given(Text),
  restricted: given(Type.Boolean()),
  projects: given(Texts),
  /** PEM, or the base64 of the DER. */
  certificate: given(Text),
})
export type CertificatePut = Static<typeof CertificatePut>

export const CertificatesPost = Type.Object({
  ...CertificatePut.properties,
  /** Where clients of LXD 5.0 put their token. */
  password: given(Text),
  trust_token: given(Text),
  token: given(Type.Boolean()),
})
export type CertificatesPost = Static<typeof CertificatesPost>

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
