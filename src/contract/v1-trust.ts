import { type Static, Type } from 'typebox'
import { AccessEntitlements, choice, given, Text, Texts } from './v1-shape.ts'

/** LXD's dialect: who is who, and who may do what. */

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
  /** Each of them would be enough, the narrowest first; empty when no permission is missing. */
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
