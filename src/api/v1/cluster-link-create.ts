import { Type } from 'typebox'
import { LinkspanError } from '../../base/errors.ts'
import { entityUrl } from '../../contract/entities.ts'
import {
  ClusterLinkCertificate,
  ClusterLinksPost,
  type ClusterLinkType,
  clusterLinkTypes,
  TrustTokenObject,
} from '../../contract/v1.ts'
import { decodeToken } from '../../identity/trust-token.ts'
import { checkLinkName } from '../../link/names.ts'
import { linkRef } from '../../link/rows.ts'
import type { ApiRequest } from '../request.ts'
import { type Answer, defineRoute, type Route } from '../route.ts'
import { linkActivated, linkChanged, linkCreated } from './cluster-link-events.ts'
import { clusterLinksPath, type LinkRooms } from './cluster-link-rooms.ts'
import { created, done, sync } from './envelope.ts'
import { auditOf } from './rooms.ts'

type Post = ApiRequest<ClusterLinksPost>

/**
 * LXD's one route for all ways to make a link, checked in its order: type, name, which way it is, token, rights.
 * Strangers may spend a token with it and nothing else.
 */
export function createClusterLinkRoute(rooms: LinkRooms): Route {
  return defineRoute({
    method: 'POST',
    path: clusterLinksPath,
    summary: 'Create a cluster link: make a token for one, use the token of the other side, or answer its use',
    access: { kind: 'open' },
    body: ClusterLinksPost,
    answers: [200, 201],
    result: Type.Union([TrustTokenObject, ClusterLinkCertificate, Type.Null(), Type.Object({})]),
    handler: (request) => {
      const { name, trust_token: token, remote_address: remoteAddress } = request.body
      const type = checkType(request.body.type)
      if (name) checkLinkName(name)
      if (type === 'public') return createPublic(rooms, request)
      if (remoteAddress) throw invalid('"remote_address" is for public links only: leave it out')
      if (!name) return token ? activate(rooms, request, type, token) : refuseNameless()
      if (token) return consume(rooms, request, { type, name, token })
      if (asksForKafka(request)) return createKafka(rooms, request, name)
      return mint(rooms, request, type, name)
    },
  })
}

function checkType(text: string | null | undefined): ClusterLinkType {
  const found = clusterLinkTypes.find((type) => type === text)
  if (found) return found
  throw invalid(`The type of a cluster link has to be one of ${clusterLinkTypes.join(', ')}`)
}

/** In two steps: what the address presents is shown, then its certificate, or the fingerprint of it, is confirmed. */
async function createPublic(rooms: LinkRooms, request: Post): Promise<Answer> {
  const { name, trust_token: token, auth_groups: groups, remote_address: remoteAddress } = request.body
  const { cluster_certificate: certificate, fingerprint } = request.body
  if (!name) throw invalid('Give the cluster link a name')
  if (token) throw invalid('A public link takes no token: leave it out, or choose another type')
  if (groups?.length) throw invalid('A public link has no groups: leave them out, or choose another type')
  if (certificate || fingerprint) {
    request.require('can_create_cluster_links')
    const confirmation = { name, certificate: certificate ?? '', fingerprint: fingerprint ?? '' }
    linkChanged(rooms, request, 'updated', await rooms.links.confirmPublicLink(confirmation))
    return done()
  }
  if (!remoteAddress) throw invalid('A public link needs "remote_address": HOST:PORT of the other side')
  request.require('can_create_cluster_links')
  const { description, config } = linkRequest(request, name)
  const { link, found, isNew } = await rooms.links.findPublicLink({
    name,
    description,
    config,
    remoteAddress,
    signal: request.signal,
  })
  if (isNew) linkCreated(rooms, request, link)
  return sync(found)
}

function refuseNameless(): never {
  throw new LinkspanError('not-permitted', 'Give the cluster link a name, or the token of the other side')
}

function asksForKafka({ body }: Post): boolean {
  return body.type === 'unidirectional' && body.config?.['linkspan.reach'] === 'kafka'
}

async function mint(
  rooms: LinkRooms,
  request: Post,
  type: 'bidirectional' | 'unidirectional',
  name: string,
): Promise<Answer> {
  request.require('can_create_identities')
  request.require('can_create_cluster_links')
  if (type === 'unidirectional') {
    const { identityId, token } = await rooms.links.mintIdentityToken(linkRequest(request, name))
    auditOf(rooms).identityChanged(request, 'created', identityId)
    return created(identityUrl(identityId), token)
  }
  const { link, identityId, token } = await rooms.links.mintToken(linkRequest(request, name))
  linkCreated(rooms, request, link)
  return created(identityUrl(identityId), token)
}

async function consume(
  rooms: LinkRooms,
  request: Post,
  { type, name, token }: { type: 'bidirectional' | 'unidirectional'; name: string; token: string },
): Promise<Answer> {
  decodeToken(token)
  if (type === 'bidirectional') request.require('can_create_identities')
  request.require('can_create_cluster_links')
  const link = await rooms.links.consumeToken({ ...linkRequest(request, name), type, token })
  linkCreated(rooms, request, link)
  return link.identityId ? created(identityUrl(link.identityId)) : done()
}

/** The other side calls, with our token in its hand: its name here is ours to choose, so it sends none. */
async function activate(rooms: LinkRooms, request: Post, type: ClusterLinkType, token: string): Promise<Answer> {
  const { config, cluster_certificate: certificate } = request.body
  const addresses = config?.['volatile.addresses']
  if (type !== 'bidirectional' || typeof addresses !== 'string' || addresses.trim() === '') {
    const ways = [
      'a name alone, for a token',
      'a name and a token, to use it',
      'a token, a certificate and "volatile.addresses", to answer its use',
    ]
    throw invalid(`A cluster link is made with one of these: ${ways.join('; ')}`)
  }
  const activation = {
    token,
    certificate: certificate ?? '',
    addresses: addresses.split(',').map((address) => address.trim()),
    signal: request.signal,
  }
  const link = await request.auditToken(rooms.links.activate(activation))
  linkActivated(rooms, request, link)
  return created(identityUrl(link.identityId!))
}

async function createKafka(rooms: LinkRooms, request: Post, name: string): Promise<Answer> {
  request.require('can_create_cluster_links')
  const { description, config } = linkRequest(request, name)
  const configs = Object.entries(config).map(([key, value]) => {
    return { name: key, value: value === null ? null : String(value) }
  })
  const link = await rooms.links.createKafkaLink({
    name,
    description,
    configs,
    validateLink: true,
    validateOnly: false,
    dialect: 'lxd',
    signal: request.signal,
  })
  linkCreated(rooms, request, link)
  return created(entityUrl(linkRef(link)))
}

function linkRequest({ body }: Post, name: string) {
  return {
    name,
    description: body.description ?? '',
    config: body.config ?? {},
    authGroups: body.auth_groups ?? [],
    addresses: body.addresses ?? [],
  }
}

function identityUrl(id: string): string {
  return entityUrl({ type: 'identity', name: id })
}

function invalid(sentence: string): LinkspanError {
  return new LinkspanError('invalid-request', sentence)
}
