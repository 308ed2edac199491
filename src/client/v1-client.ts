import type { EntityType } from '../contract/entities.ts'
import type {
  AuthExplanation,
  AuthGroup,
  AuthGroupPut,
  AuthGroupsPost,
  AuthToken,
  Certificate,
  CertificatePut,
  CertificatesPost,
  Cluster,
  ClusterCertificate,
  ClusterLink,
  ClusterLinkPut,
  ClusterLinkState,
  ClusterLinksPost,
  ClusterMember,
  Envelope,
  IdentitiesTlsPost,
  Identity,
  IdentityInfo,
  IdentityPut,
  InstanceBackup,
  InstanceBackupsPost,
  Operation,
  Permission,
  PermissionInfo,
  Server,
  ServerPut,
  TrustTokenObject,
  Warning,
} from '../contract/v1.ts'
import { call, type HttpCall, jsonRequest, parseJson, type Tagged } from './http.ts'

/** What a creation answered: where the new thing is, and what came with it. */
export interface Created<Metadata = null> {
  location: string | undefined
  metadata: Metadata
}

/** Requests of LXD's dialect. */
export class V1Requests {
  readonly #http: HttpCall

  constructor(http: HttpCall) {
    this.#http = http
  }

  async get<Value>(path: string, signal?: AbortSignal): Promise<Value> {
    return (await this.getTagged<Value>(path, signal)).value
  }

  async getTagged<Value>(path: string, signal?: AbortSignal): Promise<Tagged<Value>> {
    const answer = await call(this.#http, jsonRequest('GET', path), signal)
    const { metadata } = parseJson(answer) as Envelope
    return { value: metadata as Value, etag: answer.headers.etag }
  }

  async list<Value>(path: string, signal?: AbortSignal): Promise<Value[]> {
    const parameter = path.includes('?') ? '&recursion=1' : '?recursion=1'
    return (await this.get<Value[] | null>(`${path}${parameter}`, signal)) ?? []
  }

  async send<Metadata>(
    method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    options: { body?: unknown; etag?: string | undefined } = {},
    signal?: AbortSignal,
  ): Promise<Created<Metadata>> {
    const answer = await call(this.#http, jsonRequest(method, path, options.body, options.etag), signal)
    const { metadata } = parseJson(answer) as Envelope
    return { location: answer.headers.location, metadata: metadata as Metadata }
  }
}

const segment = encodeURIComponent

export function serverCalls(v1: V1Requests) {
  return {
    get: (signal?: AbortSignal) => v1.getTagged<Server>('/1.0', signal),
    replaceConfig: async (body: ServerPut, etag?: string) => void (await v1.send('PUT', '/1.0', { body, etag })),
    changeConfig: async (body: ServerPut, etag?: string) => void (await v1.send('PATCH', '/1.0', { body, etag })),
  }
}

export function groupCalls(v1: V1Requests) {
  const path = (name: string) => `/1.0/auth/groups/${segment(name)}`
  return {
    list: (signal?: AbortSignal) => v1.list<AuthGroup>('/1.0/auth/groups', signal),
    get: (name: string, signal?: AbortSignal) => v1.getTagged<AuthGroup>(path(name), signal),
    create: (body: AuthGroupsPost) => v1.send<null>('POST', '/1.0/auth/groups', { body }),
    replace: async (name: string, body: AuthGroupPut, etag?: string) => {
      await v1.send('PUT', path(name), { body, etag })
    },
    rename: async (name: string, newName: string) => {
      await v1.send('POST', path(name), { body: { name: newName } })
    },
    delete: async (name: string) => void (await v1.send('DELETE', path(name))),
  }
}

export function identityCalls(v1: V1Requests) {
  const path = (nameOrId: string) => `/1.0/auth/identities/tls/${segment(nameOrId)}`
  const collection = '/1.0/auth/identities/tls'
  return {
    list: (signal?: AbortSignal) => v1.list<Identity>('/1.0/auth/identities', signal),
    get: (nameOrId: string, signal?: AbortSignal) => v1.getTagged<Identity>(path(nameOrId), signal),
    current: (signal?: AbortSignal) => v1.get<IdentityInfo>('/1.0/auth/identities/current', signal),
    /** A pending identity and its token. */
    createToken: (name: string, groups: string[] = []) => {
      return v1.send<TrustTokenObject>('POST', collection, { body: { name, groups, token: true } })
    },
    create: (body: IdentitiesTlsPost) => v1.send<null>('POST', collection, { body }),
    /** Becomes the identity of a token, by the certificate of this connection. `token` is its base64 text. */
    activate: (token: string) => v1.send<null>('POST', collection, { body: { trust_token: token } }),
    replace: async (nameOrId: string, body: IdentityPut, etag?: string) => {
      await v1.send('PUT', path(nameOrId), { body, etag })
    },
    delete: async (nameOrId: string) => void (await v1.send('DELETE', path(nameOrId))),
    /** Ours: a new token for a pending identity; the old one is void. It names `addresses`, or all that there are. */
    reissueToken: (nameOrId: string, addresses: string[] = []) => {
      return v1.send<TrustTokenObject>('POST', `${path(nameOrId)}/token`, { body: { addresses } })
    },
    /** Ours: tokens that nobody has used yet, without their secrets. */
    tokens: async (signal?: AbortSignal) => (await v1.get<AuthToken[] | null>('/1.0/auth/tokens', signal)) ?? [],
    /** Ours: why the identity, the caller when it is empty, may do something or not. */
    explain: (question: { identity: string; entitlement: string; entity: string }) => {
      return v1.get<AuthExplanation>(`/1.0/auth/explain?${new URLSearchParams(question)}`)
    },
  }
}

export function permissionCalls(v1: V1Requests) {
  const path = (type?: EntityType) => `/1.0/auth/permissions${type === undefined ? '' : `?entity-type=${type}`}`
  return {
    list: async (type?: EntityType, signal?: AbortSignal) =>
      (await v1.get<Permission[] | null>(path(type), signal)) ?? [],
    listWithGroups: (type?: EntityType, signal?: AbortSignal) => v1.list<PermissionInfo>(path(type), signal),
  }
}

export function clusterLinkCalls(v1: V1Requests) {
  const collection = '/1.0/cluster/links'
  const path = (name: string) => `${collection}/${segment(name)}`
  return {
    list: (signal?: AbortSignal) => v1.list<ClusterLink>(collection, signal),
    get: (name: string, signal?: AbortSignal) => v1.getTagged<ClusterLink>(path(name), signal),
    /** Mints a token, uses one, or adds a public link: as the body says. */
    create: (body: ClusterLinksPost, signal?: AbortSignal) => {
      return v1.send<TrustTokenObject | null>('POST', collection, { body }, signal)
    },
    replace: async (name: string, body: ClusterLinkPut, etag?: string) => {
      await v1.send('PUT', path(name), { body, etag })
    },
    change: async (name: string, body: ClusterLinkPut, etag?: string) => {
      await v1.send('PATCH', path(name), { body, etag })
    },
    rename: async (name: string, newName: string) => {
      await v1.send('POST', path(name), { body: { name: newName } })
    },
    /** `force` fails live mirrors over first. */
    delete: async (name: string, options: { force?: boolean } = {}) => {
      await v1.send('DELETE', `${path(name)}${options.force ? '?force=true' : ''}`)
    },
    /** `target`: the member of the own cluster that is to ask. */
    state: (name: string, { target, signal }: { target?: string; signal?: AbortSignal } = {}) => {
      const query = target === undefined ? '' : `?target=${encodeURIComponent(target)}`
      return v1.get<ClusterLinkState>(`${path(name)}/state${query}`, signal)
    },
  }
}

/** The hosts that make up the cluster, and its certificate. */
export function memberCalls(v1: V1Requests) {
  return {
    cluster: (signal?: AbortSignal) => v1.get<Cluster>('/1.0/cluster', signal),
    list: (signal?: AbortSignal) => v1.list<ClusterMember>('/1.0/cluster/members', signal),
    get: (name: string) => v1.get<ClusterMember>(`/1.0/cluster/members/${segment(name)}`),
    /** Ours. */
    certificate: () => v1.get<ClusterCertificate>('/1.0/cluster/certificate'),
    /** Ours. What comes back is the operation that goes on. */
    rotateCertificate: async () => {
      return (await v1.send<Operation>('POST', '/1.0/cluster/certificate', { body: {} })).metadata
    },
  }
}

/** LXD's older trust store; a fingerprint may be cut short. */
export function certificateCalls(v1: V1Requests) {
  const collection = '/1.0/certificates'
  const path = (fingerprint: string) => `${collection}/${segment(fingerprint)}`
  return {
    list: (signal?: AbortSignal) => v1.list<Certificate>(collection, signal),
    get: (fingerprint: string) => v1.getTagged<Certificate>(path(fingerprint)),
    create: (body: CertificatesPost) => v1.send<null>('POST', collection, { body }),
    /** The operation that stands for the token, which it holds. */
    createToken: async (body: CertificatesPost) => {
      return (await v1.send<Operation>('POST', collection, { body: { ...body, token: true } })).metadata
    },
    replace: async (fingerprint: string, body: CertificatePut, etag?: string) => {
      await v1.send('PUT', path(fingerprint), { body, etag })
    },
    delete: async (fingerprint: string) => void (await v1.send('DELETE', path(fingerprint))),
  }
}

export function warningCalls(v1: V1Requests) {
  const path = (uuid: string) => `/1.0/warnings/${segment(uuid)}`
  return {
    list: (signal?: AbortSignal) => v1.list<Warning>('/1.0/warnings', signal),
    get: (uuid: string) => v1.get<Warning>(path(uuid)),
    setStatus: async (uuid: string, status: Warning['status']) => {
      await v1.send('PUT', path(uuid), { body: { status } })
    },
    delete: async (uuid: string) => void (await v1.send('DELETE', path(uuid))),
  }
}

export function operationCalls(v1: V1Requests) {
  const path = (id: string) => `/1.0/operations/${segment(id)}`
  return {
    list: async (signal?: AbortSignal) => {
      const byStatus = await v1.get<Record<string, Operation[]>>('/1.0/operations?recursion=1', signal)
      return Object.values(byStatus).flat()
    },
    get: (id: string, signal?: AbortSignal) => v1.get<Operation>(path(id), signal),
    cancel: async (id: string) => void (await v1.send('DELETE', path(id))),
    /** Throws `internal` with a text that says so when it is still running after `timeoutSeconds`. */
    wait: (id: string, timeoutSeconds?: number, signal?: AbortSignal) => {
      const query = timeoutSeconds === undefined ? '' : `?timeout=${timeoutSeconds}`
      return v1.get<Operation>(`${path(id)}/wait${query}`, signal)
    },
  }
}

/** Of the daemon itself, or pulled over a link: `path` is that of the list. */
export function backupCalls(v1: V1Requests) {
  return {
    list: (path: string, signal?: AbortSignal) => v1.list<InstanceBackup>(path, signal),
    create: async (instance: string, body: InstanceBackupsPost) => {
      return (await v1.send<Operation>('POST', `/1.0/instances/${segment(instance)}/backups`, { body })).metadata
    },
    pull: async (link: string) => {
      return (await v1.send<Operation>('POST', `/1.0/cluster/links/${segment(link)}/backups`)).metadata
    },
    /** One that was pulled is gone when this resolves, and there is no operation. */
    delete: async (path: string, name: string) => {
      return (await v1.send<Partial<Operation>>('DELETE', `${path}/${segment(name)}`)).metadata
    },
  }
}

/** Ours: whose writers are denied for a mirror elsewhere. */
export function topicFenceCalls(v1: V1Requests) {
  const path = (topic: string) => `/1.0/topics/${segment(topic)}/fence`
  return {
    fence: async (topic: string) => void (await v1.send('PUT', path(topic))),
    lift: async (topic: string) => void (await v1.send('DELETE', path(topic))),
  }
}
