import { Type } from 'typebox'
import { readIdentityCertificate } from '../../access/access.ts'
import { createIdentityChanges, createPendingIdentityChanges } from '../../access/identities.ts'
import { tokenEndMs } from '../../access/server-config.ts'
import { LinkspanError } from '../../base/errors.ts'
import { entityUrl } from '../../contract/entities.ts'
import { IdentitiesTlsPost, TrustTokenObject } from '../../contract/v1.ts'
import { formatExpiry } from '../../identity/expiry.ts'
import { decodeToken } from '../../identity/trust-token.ts'
import { clientTokenType } from '../../link/mint.ts'
import type { ApiRequest } from '../request.ts'
import { type Answer, defineRoute, type Route } from '../route.ts'
import { created } from './envelope.ts'
import { activateIdentity } from './identity-activate.ts'
import { auditOf, tokenFor, type V1Rooms } from './rooms.ts'

/** Strangers spend tokens with it; whoever may create identities makes them, or the tokens. */
export function createIdentityRoute(rooms: V1Rooms): Route {
  return defineRoute({
    method: 'POST',
    path: '/1.0/auth/identities/tls',
    summary: 'Create an identity, or a token for one; or become one by its token',
    access: { kind: 'open' },
    body: IdentitiesTlsPost,
    answers: [201],
    result: Type.Union([TrustTokenObject, Type.Null()]),
    handler: (request) => {
      if (request.subject.kind === 'untrusted') return activate(rooms, request)
      const { name, token, certificate, trust_token } = request.body
      if (trust_token && request.subject.kind === 'identity') {
        throw new LinkspanError('already-exists', 'The certificate is trusted already: it needs no token')
      }
      request.require('can_create_identities')
      if (!name) throw new LinkspanError('invalid-request', 'Give the identity a name')
      if (trust_token) throw new LinkspanError('invalid-request', 'The local administrator needs no token')
      if (token && certificate) throw new LinkspanError('invalid-request', 'Give a certificate or ask for a token')
      if (token) return mint(rooms, request, name)
      if (certificate) return create(rooms, request, name, certificate)
      throw new LinkspanError('invalid-request', 'Give the certificate of the identity, or ask for a token')
    },
  })
}

async function activate(rooms: V1Rooms, request: ApiRequest<IdentitiesTlsPost>): Promise<Answer> {
  const { trust_token, ...others } = request.body
  if (!trust_token) request.requireTrusted()
  if (others.name || others.token || others.certificate || (others.groups ?? []).length > 0) {
    throw new LinkspanError('not-permitted', 'Who uses a token may send nothing else: its maker chose the rest')
  }
  return activateIdentity(rooms, request, decodeToken(trust_token!))
}

async function mint(rooms: V1Rooms, request: ApiRequest<IdentitiesTlsPost>, name: string): Promise<Answer> {
  const { access, clock, server } = rooms
  if (server.addresses().length === 0) {
    const sentence = 'Nobody could use the token: open the port to others first, with --listen and --advertise'
    throw new LinkspanError('invalid-request', sentence)
  }
  await access.pruneExpired()
  const nowMs = clock.wallMs()
  const minted = await access.execute('mint identity token', (rows) => {
    const expiresAtMs = tokenEndMs(rows, nowMs)
    const input = { kind: 'client', name, groups: request.body.groups ?? [], nowMs, expiresAtMs } as const
    const { changes, identity, secret } = createPendingIdentityChanges(rows, input)
    return { changes, result: { id: identity.id, secret, expiresAt: formatExpiry(expiresAtMs) } }
  })
  auditOf(rooms).identityChanged(request, 'created', minted.id)
  const token = tokenFor(server, { name, ...minted, type: clientTokenType })
  return created(entityUrl({ type: 'identity', name: minted.id }), token)
}

async function create(
  rooms: V1Rooms,
  request: ApiRequest<IdentitiesTlsPost>,
  name: string,
  certificatePem: string,
): Promise<Answer> {
  const { access, clock } = rooms
  const certificate = readIdentityCertificate(certificatePem, clock)
  const groups = request.body.groups ?? []
  const id = await access.execute('create identity', (rows) => {
    const input = { kind: 'client', name, groups, nowMs: clock.wallMs(), certificate } as const
    const { changes, identity } = createIdentityChanges(rows, access.hooks, input)
    return { changes, result: identity.id }
  })
  auditOf(rooms).identityChanged(request, 'created', id)
  return created(entityUrl({ type: 'identity', name: id }))
}
