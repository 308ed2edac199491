import { anything, type Pattern } from '../../support/wire.ts'

/** `socket`: on the daemon's machine. `bare`: without a certificate. `stranger`: with one that nobody knows. */
export type As = 'socket' | 'bare' | 'stranger' | 'nobody'

/** One request as LXD's clients send it, and what has to come back. `{x}` stands for what an exchange before saved. */
export interface Exchange {
  as?: As
  send: string
  body?: unknown
  headers?: Record<string, string>
  status: number
  /** `type/plain` for what is no envelope. */
  type?: 'sync' | 'async' | 'error' | 'text/plain'
  location?: RegExp
  /** Whether it has one. */
  etag?: boolean
  metadata?: Pattern
  error?: RegExp
  /** Remembers a part: `location`, `etag`, or a member of `metadata`. */
  save?: Record<string, string>
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const hex64 = /^[0-9a-f]{64}$/
const timeNs = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/
const identityUrl = /^\/1\.0\/auth\/identities\/tls\/[0-9a-f-]{36}$/

const untrusted = {
  api_extensions: anything,
  api_status: 'stable',
  api_version: '1.0',
  auth: 'untrusted',
  auth_methods: ['tls'],
  config: {},
  public: false,
}

const tokenOf = (type: string) => ({
  client_name: anything,
  fingerprint: hex64,
  addresses: [/^127\.0\.0\.1:\d+$/],
  secret: hex64,
  expires_at: timeNs,
  type,
})

/** Who is trusted how far sees what of the server. */
const server: Exchange[] = [
  { as: 'bare', send: 'GET /', status: 200, metadata: ['/1.0'], etag: false },
  { as: 'bare', send: 'GET /1.0', status: 200, etag: false, metadata: { ...untrusted, client_certificate: false } },
  { as: 'stranger', send: 'GET /1.0', status: 200, etag: false, metadata: { ...untrusted, client_certificate: true } },
  { as: 'stranger', send: 'GET /1.0', headers: { 'x-lxd-authenticated': 'true' }, status: 403 },
  {
    send: 'GET /1.0?project=default&target=x',
    status: 200,
    etag: true,
    metadata: {
      ...untrusted,
      auth: 'trusted',
      auth_user_name: 'root',
      auth_user_method: 'unix',
      client_certificate: false,
      config: {
        'core.https_address': /^127\.0\.0\.1:\d+$/,
        'cluster.https_address': /^127\.0\.0\.1:\d+$/,
        'volatile.uuid': uuid,
      },
      environment: anything,
    },
    save: { tag: 'etag' },
  },
  {
    as: 'nobody',
    send: 'GET /1.0',
    status: 200,
    etag: true,
    metadata: {
      ...untrusted,
      auth: 'trusted',
      auth_user_name: hex64,
      auth_user_method: 'tls',
      client_certificate: true,
      environment: anything,
    },
  },
  {
    send: 'PUT /1.0',
    body: { config: { 'user.a': '1' } },
    headers: { 'if-match': '{tag}' },
    status: 200,
    metadata: {},
  },
  { send: 'PUT /1.0', body: { config: {} }, headers: { 'if-match': '{tag}' }, status: 412 },
  { send: 'PATCH /1.0', body: { config: { 'user.a': '' } }, status: 200 },
  { send: 'PATCH /1.0', body: { config: { 'core.https_address': ':1' } }, status: 400, error: /core\.https_address/ },
  { send: 'PATCH /1.0', body: { config: { 'cluster.https_address': ':1' } }, status: 400 },
  { send: 'PATCH /1.0', body: { config: { 'core.remote_token_expiry': '1x' } }, status: 400 },
  { send: 'PATCH /1.0', body: { config: { 'core.remote_token_expiry': '' } }, status: 200 },
  { send: 'GET /1.0/projects', status: 404, error: /Not Found/ },
]

/** What holds for all routes. */
const generic: Exchange[] = [
  { send: 'GET /1.0/', status: 404, error: /Not Found/ },
  { send: 'GET /1.0/auth/groups/', status: 404 },
  { send: 'DELETE /1.0', status: 501, error: /Not Implemented/ },
  { send: 'POST /1.0/auth/groups', body: [], status: 400 },
  { send: 'POST /1.0/auth/groups', body: 'x', status: 400 },
  { send: 'GET /1.0/cluster/links?project=default&recursion=1', status: 200, metadata: [] },
  { send: 'GET /1.0/auth/identities?recursion=0&project=p', status: 200, metadata: anything },
  { send: 'GET /1.0/operations?all-projects=true', status: 200, metadata: {} },
  { send: 'GET /1.0/warnings/none', status: 404 },
]

const groups: Exchange[] = [
  {
    send: 'POST /1.0/auth/groups',
    body: { name: 'a b%c', description: '', permissions: null },
    status: 201,
    location: /^\/1\.0\/auth\/groups\/a%20b%25c$/,
    metadata: null,
  },
  { send: 'POST /1.0/auth/groups', body: { name: 'a b%c' }, status: 409 },
  {
    send: 'GET /1.0/auth/groups/a%20b%25c',
    status: 200,
    etag: true,
    metadata: {
      name: 'a b%c',
      description: '',
      permissions: [],
      identities: {},
      identity_provider_groups: [],
    },
    save: { tag: 'etag' },
  },
  {
    send: 'PUT /1.0/auth/groups/a%20b%25c',
    headers: { 'if-match': '{tag}' },
    body: {
      permissions: [
        { entity_type: 'server', url: '/1.0', entitlement: 'viewer' },
        { entity_type: 'server', url: '/1.0?project=default', entitlement: 'viewer' },
        { entity_type: 'instance', url: '/1.0/instances/%2A?project=default', entitlement: 'can_view' },
      ],
    },
    status: 200,
    metadata: {},
  },
  { send: 'PUT /1.0/auth/groups/a%20b%25c', headers: { 'if-match': '{tag}' }, body: {}, status: 412 },
  { send: 'POST /1.0/auth/groups/a%20b%25c', body: { name: 'a b%c' }, status: 409 },
  { send: 'POST /1.0/auth/groups/a%20b%25c', body: { name: 'b' }, status: 201, location: /\/b$/, metadata: null },
  {
    send: 'GET /1.0/auth/groups?recursion=1',
    status: 200,
    metadata: [
      anything,
      {
        name: 'b',
        description: '',
        permissions: [
          { entity_type: 'instance', url: '/1.0/instances', entitlement: 'can_view' },
          { entity_type: 'server', url: '/1.0', entitlement: 'viewer' },
        ],
        identities: {},
        identity_provider_groups: [],
      },
    ],
  },
  { send: 'DELETE /1.0/auth/groups/b', status: 200, metadata: {} },
  { send: 'DELETE /1.0/auth/groups/b', status: 404 },
  { send: 'DELETE /1.0/auth/groups/admins', status: 400 },
]

const links: Exchange[] = [
  {
    send: 'POST /1.0/cluster/links',
    body: {
      description: '',
      config: {},
      name: 'n',
      type: 'bidirectional',
      trust_token: '',
      auth_groups: null,
      cluster_certificate: '',
    },
    status: 201,
    location: identityUrl,
    metadata: tokenOf('Cluster link certificate'),
  },
  { send: 'POST /1.0/cluster/links/n', body: { name: 'n' }, status: 200, metadata: {} },
  { send: 'POST /1.0/cluster/links/n', body: { name: '..' }, status: 400 },
  { send: 'POST /1.0/cluster/links/n', body: { name: '' }, status: 400 },
  {
    send: 'GET /1.0/cluster/links/n?target=x',
    status: 200,
    etag: true,
    metadata: { name: 'n', description: '', type: 'bidirectional', config: {}, used_by: [] },
  },
  { send: 'DELETE /1.0/cluster/links/n', status: 200, metadata: {} },
  {
    send: 'POST /1.0/cluster/links',
    body: { name: 'n', type: 'unidirectional', config: null, trust_token: '', auth_groups: [] },
    status: 201,
    location: identityUrl,
    metadata: tokenOf('Cluster link certificate'),
    save: { url: 'location' },
  },
  { send: 'DELETE {url}', status: 200, metadata: {} },
]

const identities: Exchange[] = [
  {
    send: 'POST /1.0/auth/identities/tls',
    body: { name: 'p', trust_token: '', token: true, certificate: '', groups: null },
    status: 201,
    location: identityUrl,
    metadata: tokenOf('Client certificate'),
    save: { url: 'location' },
  },
  {
    send: 'GET {url}',
    status: 200,
    etag: true,
    metadata: {
      authentication_method: 'tls',
      type: 'Client certificate (pending)',
      id: uuid,
      name: 'p',
      groups: [],
      tls_certificate: '',
      created_at: anything,
    },
  },
  { send: 'PUT {url}', body: { groups: [], tls_certificate: 'x' }, status: 400 },
  { send: 'DELETE {url}', status: 200, metadata: {} },
  { send: 'GET /1.0/auth/identities/current', status: 400 },
  { as: 'stranger', send: 'POST /1.0/auth/identities/tls', body: { trust_token: 'nonsense' }, status: 403 },
  { as: 'stranger', send: 'POST /1.0/auth/identities/tls', body: { name: 'x', trust_token: 'eyJ9' }, status: 403 },
  { as: 'stranger', send: 'POST /1.0/auth/identities/tls', body: {}, status: 403 },
]

const operationView = {
  id: uuid,
  class: 'token',
  description: 'Certificate add token',
  created_at: anything,
  updated_at: anything,
  status: 'Running',
  status_code: 103,
  resources: {},
  metadata: {
    addresses: [/^127\.0\.0\.1:\d+$/],
    expiresAt: timeNs,
    fingerprint: hex64,
    request: {
      name: 'foo',
      type: 'client',
      restricted: false,
      projects: [],
      certificate: '',
      password: '',
      trust_token: '',
      token: true,
    },
    secret: hex64,
  },
  may_cancel: true,
  err: '',
  err_code: 0,
  child_count: 0,
  location: 'none',
  requestor: { username: 'root', protocol: 'unix', address: '@' },
}

const addClient = {
  name: 'foo',
  type: 'client',
  restricted: false,
  projects: null,
  certificate: '',
  password: '',
  trust_token: '',
  token: true,
}

const trustStore: Exchange[] = [
  { send: 'GET /1.0/certificates', status: 200, metadata: [] },
  {
    send: 'POST /1.0/certificates',
    body: addClient,
    status: 202,
    type: 'async',
    location: /^\/1\.0\/operations\/[0-9a-f-]{36}$/,
    metadata: operationView,
    save: { operation: 'location' },
  },
  { send: 'GET {operation}', status: 200, metadata: operationView },
  { send: 'GET /1.0/operations?project=default&recursion=1', status: 200, metadata: { running: [operationView] } },
  { send: 'GET {operation}/wait?timeout=0', status: 200, type: 'error' },
  { send: 'DELETE {operation}', status: 200, metadata: {} },
  {
    send: 'GET {operation}',
    status: 200,
    metadata: { ...operationView, status: 'Cancelled', status_code: 401, err: anything, err_code: anything },
  },
  { send: 'DELETE {operation}', status: 400 },
  { send: 'POST /1.0/certificates', body: { ...addClient, name: '' }, status: 400 },
  { send: 'POST /1.0/certificates', body: { ...addClient, name: '-a' }, status: 400 },
  { send: 'POST /1.0/certificates', body: { ...addClient, name: 'a/b' }, status: 400 },
  { send: 'POST /1.0/certificates', body: { ...addClient, type: 'metrics' }, status: 400 },
  { send: 'POST /1.0/certificates', body: { ...addClient, projects: ['p'] }, status: 400 },
  { as: 'stranger', send: 'POST /1.0/certificates', body: { password: 'sesame' }, status: 501 },
  { as: 'stranger', send: 'POST /1.0/certificates', body: { trust_token: 'nonsense' }, status: 403 },
  { as: 'stranger', send: 'POST /1.0/certificates', body: { type: 'client' }, status: 403 },
  { as: 'bare', send: 'POST /1.0/certificates', body: addClient, status: 403 },
]

/** A known caller in no group. There are no projects here, so what LXD hides with its project is empty instead. */
const withoutRights: Exchange[] = [
  ...['/1.0/cluster/links', '/1.0/auth/groups', '/1.0/certificates', '/1.0/cluster/links?recursion=1'].map(
    (path): Exchange => ({ as: 'nobody', send: `GET ${path}`, status: 200, metadata: [] }),
  ),
  { as: 'nobody', send: 'GET /1.0/operations', status: 200, metadata: {} },
  { as: 'nobody', send: 'GET /1.0/cluster', status: 200, metadata: anything },
  { as: 'nobody', send: 'GET /1.0/warnings', status: 403 },
  { as: 'nobody', send: 'GET /1.0/auth/permissions', status: 403 },
  { as: 'nobody', send: 'POST /1.0/certificates', body: addClient, status: 403 },
  { as: 'nobody', send: 'PATCH /1.0', body: {}, status: 403 },
  { as: 'nobody', send: 'POST /1.0/cluster/links', body: { name: 'm', type: 'bidirectional' }, status: 403 },
  ...['GET', 'PUT', 'DELETE'].map(
    (method): Exchange => ({ as: 'nobody', send: `${method} /1.0/cluster/links/x`, status: 404, error: /^Not Found$/ }),
  ),
  { as: 'nobody', send: 'GET /1.0/cluster/links/x/state', status: 404 },
  { as: 'nobody', send: 'GET /1.0/events', status: 400, type: 'text/plain' },
  { as: 'nobody', send: 'GET /1.0/events?type=gossip', status: 400 },
  { as: 'nobody', send: 'GET /1.0/events?type=security', status: 403 },
  { as: 'nobody', send: 'GET /1.0/auth/identities', status: 200, metadata: [/tls\/[0-9a-f]{64}$/], save: { me: '0' } },
  { as: 'nobody', send: 'GET {me}', status: 200, etag: true, metadata: anything },
  { as: 'nobody', send: 'PUT {me}', body: { groups: ['admins'] }, status: 403 },
  { as: 'nobody', send: 'DELETE {me}', status: 200, metadata: {} },
  { as: 'nobody', send: 'GET /1.0', status: 200, metadata: { ...untrusted, client_certificate: true } },
]

/** In this order: what is without rights deletes itself at the end. */
export const exchanges = { server, generic, groups, links, identities, trustStore, withoutRights }
