import { Type } from 'typebox'
import { identityRef } from '../../access/identities.ts'
import { entityUrl } from '../../contract/entities.ts'
import { AuthToken, AuthTokenPost, TrustTokenObject } from '../../contract/v1.ts'
import { formatExpiry } from '../../identity/expiry.ts'
import { linkRef } from '../../link/rows.ts'
import type { OutstandingToken } from '../../link/tokens.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route } from '../route.ts'
import type { LinkRooms } from './cluster-link-rooms.ts'
import { sync } from './envelope.ts'
import { identitiesPath, identityOf } from './identities.ts'
import { auditOf } from './rooms.ts'

/** Of our own: LXD can neither list tokens that wait nor issue one again. */
export function authTokenRoutes(rooms: LinkRooms): Route[] {
  return [listRoute(rooms), reissueRoute(rooms)]
}

function listRoute({ links }: LinkRooms): Route {
  return defineRoute({
    method: 'GET',
    path: '/1.0/auth/tokens',
    summary: 'List the tokens that nobody has used yet, without their secrets',
    access: { kind: 'authenticated' },
    result: Type.Array(AuthToken),
    handler: (request) => {
      const visible = links.outstandingTokens().filter(({ identity }) => request.mayView(identityRef(identity)))
      return sync(visible.map((token) => showToken(request, token)))
    },
  })
}

function showToken(
  request: ApiRequest,
  { identity, link, type, issuedAtMs, expiresAtMs }: OutstandingToken,
): AuthToken {
  return {
    name: identity.name,
    type,
    identity: entityUrl(identityRef(identity)),
    cluster_link: link && request.mayView(linkRef(link)) ? entityUrl(linkRef(link)) : '',
    created_at: formatExpiry(issuedAtMs),
    expires_at: formatExpiry(expiresAtMs),
  }
}

function reissueRoute(rooms: LinkRooms): Route {
  return defineRoute({
    method: 'POST',
    path: `${identitiesPath}/tls/:nameOrId/token`,
    summary: 'Issue the token of a pending identity again; the one before is void',
    access: { kind: 'entitlement', entitlement: 'can_edit', entity: (request) => identityOf(rooms, request) },
    body: AuthTokenPost,
    result: TrustTokenObject,
    handler: async (request) => {
      const addresses = request.body?.addresses ?? []
      const { identityId, token } = await rooms.links.reissueToken(request.param('nameOrId'), addresses)
      auditOf(rooms).identityChanged(request, 'updated', identityId)
      return sync(token)
    },
  })
}
