import { Type } from 'typebox'
import { readIdentityCertificate } from '../../access/access.ts'
import { checkCertificateName, findCertificates, legacyKind, listCertificates } from '../../access/certificates.ts'
import { createIdentityChanges, deleteIdentityChanges, getIdentity } from '../../access/identities.ts'
import type { IdentityCertificate } from '../../access/rows.ts'
import { LinkspanError } from '../../base/errors.ts'
import { type EntityRef, entityUrl } from '../../contract/entities.ts'
import { Certificate, CertificatePut, CertificatesPost, Operation } from '../../contract/v1.ts'
import { listOf } from '../../contract/v1-shape.ts'
import { commonNameOf } from '../../identity/certificate.ts'
import { decodeToken } from '../../identity/trust-token.ts'
import { clientTokenType } from '../../link/mint.ts'
import type { ApiRequest } from '../request.ts'
import { type Answer, defineRoute, type Route } from '../route.ts'
import { changeCertificate } from './certificate-change.ts'
import { findCertificateToken, mintCertificateToken } from './certificate-token.ts'
import { certificateRef, checkCertificateBody, showCertificate } from './certificate-view.ts'
import { created, done, syncTagged } from './envelope.ts'
import { activateIdentity } from './identity-activate.ts'
import { requireChange } from './identity-change.ts'
import { listAnswer, recursionQuery, shownWithEntitlements } from './listing.ts'
import { auditOf, type V1Rooms } from './rooms.ts'

const collection = '/1.0/certificates'
const item = `${collection}/:fingerprint`

/** LXD's older trust store: what clients up to 5.0 know, and `config trust` of all of them. */
export function certificateRoutes(rooms: V1Rooms): Route[] {
  return [
    listRoute(rooms),
    createRoute(rooms),
    getRoute(rooms),
    changeRoute(rooms, 'PUT', 'Replace what is known of a trusted certificate'),
    changeRoute(rooms, 'PATCH', 'Change what is known of a trusted certificate'),
    deleteRoute(rooms),
  ]
}

function listRoute({ access }: V1Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: collection,
    summary: 'List trusted certificates',
    result: listOf(Certificate),
    access: { kind: 'authenticated' },
    query: recursionQuery,
    handler: (request) => {
      const entries = listCertificates(access.rows).map((identity) => {
        const ref = certificateRef(identity.id)
        return { ref, url: entityUrl(ref), show: () => showCertificate(identity) }
      })
      return listAnswer(request, 'certificate', entries)
    },
  })
}

function createRoute(rooms: V1Rooms): Route {
  return defineRoute({
    method: 'POST',
    path: collection,
    summary: 'Trust a certificate, make a token for one, or become trusted by a token',
    access: { kind: 'open' },
    body: CertificatesPost,
    answers: [201, 202],
    result: Type.Union([Operation, Type.Null()]),
    handler: (request) => {
      const { password, trust_token, token, certificate } = request.body
      if (trust_token) return request.auditToken(spend(rooms, request, trust_token))
      if (password) return spendPassword(rooms, request, password)
      request.require('can_create_identities')
      checkCertificateBody(request.body)
      if (!token) return add(rooms, request)
      if (certificate) throw new LinkspanError('invalid-request', 'Give a certificate or ask for a token')
      return mintCertificateToken(rooms, request)
    },
  })
}

/**
 * Clients of LXD 5.0 know tokens, and send all of them here, as passwords: also those of identities, which newer ones
 * use elsewhere. Passwords proper, which last, there are none.
 */
function spendPassword(rooms: V1Rooms, request: ApiRequest, password: string): Promise<Answer> {
  if (!/^[A-Za-z0-9+/=]{100,}$/.test(password)) {
    throw new LinkspanError('unsupported', 'There are no trust passwords here: ask for a token')
  }
  const token = decodeToken(password)
  return token.type === clientTokenType
    ? activateIdentity(rooms, request, token)
    : request.auditToken(spend(rooms, request, password))
}

/** What its maker chose counts; whatever else was sent with it does not. Whoever is known already keeps what he is. */
async function spend(rooms: V1Rooms, request: ApiRequest, text: string): Promise<Answer> {
  const { access, clock } = rooms
  const { certificate } = request.caller
  findCertificateToken(rooms, text)
  if (certificate === undefined) {
    throw new LinkspanError('invalid-request', 'Use the token over a connection that presents a client certificate')
  }
  const facts = readIdentityCertificate(certificate, clock)
  const id = await access.execute('spend certificate token', (rows) => {
    const { operation, name, restricted } = findCertificateToken(rooms, text)
    const input = { kind: legacyKind(restricted), name, groups: [], nowMs: clock.wallMs(), certificate: facts }
    const { changes, identity } = createIdentityChanges(rows, access.hooks, input)
    // Last, so that whatever fails before leaves it usable; and in the command, so that it happens once.
    operation.abort('The token was used')
    return { changes, result: identity.id }
  })
  return trusted(rooms, request, id)
}

async function add(rooms: V1Rooms, request: ApiRequest<CertificatesPost>): Promise<Answer> {
  const { access, clock } = rooms
  const { restricted } = request.body
  const text = request.body.certificate || request.caller.certificate
  if (text === undefined) throw new LinkspanError('invalid-request', 'Give the certificate, or ask for a token')
  const certificate = readIdentityCertificate(text, clock)
  const name = nameFor(request, certificate)
  const id = await access.execute('trust certificate', (rows) => {
    const input = { kind: legacyKind(restricted ?? false), name, groups: [], nowMs: clock.wallMs(), certificate }
    const { changes, identity } = createIdentityChanges(rows, access.hooks, input)
    return { changes, result: identity.id }
  })
  return trusted(rooms, request, id)
}

function nameFor(request: ApiRequest<CertificatesPost>, { pem }: IdentityCertificate): string {
  const { name } = request.body
  if (!name) return commonNameOf(pem) ?? request.caller.address
  checkCertificateName(name)
  return name
}

function trusted(rooms: V1Rooms, request: ApiRequest, id: string): Answer {
  auditOf(rooms).certificateChanged(request, 'created', id)
  return created(entityUrl(certificateRef(id)))
}

function getRoute(rooms: V1Rooms): Route {
  return defineRoute({
    method: 'GET',
    path: item,
    summary: 'Show a trusted certificate',
    access: { kind: 'entitlement', entitlement: 'can_view', entity: (request) => askedCertificate(rooms, request) },
    result: Certificate,
    handler: (request) => {
      const ref = askedCertificate(rooms, request)
      const shown = showCertificate(getCertificate(rooms, ref))
      return syncTagged(shownWithEntitlements(request, ref, shown), shown)
    },
  })
}

function changeRoute(rooms: V1Rooms, method: 'PUT' | 'PATCH', summary: string): Route {
  return defineRoute({
    method,
    path: item,
    summary,
    // Whoever may not edit it may still replace his own.
    access: { kind: 'authenticated' },
    body: CertificatePut,
    handler: async (request) => {
      const ref = askedCertificate(rooms, request)
      const { privileged } = requireChange(request, ref)
      getCertificate(rooms, ref)
      const id = await changeCertificate(rooms, request, { id: ref.name, privileged, replaces: method === 'PUT' })
      auditOf(rooms).certificateChanged(request, 'updated', id)
      if (id !== ref.name) {
        const sentence = `Certificate ${ref.name} was replaced by ${id}`
        auditOf(rooms).security(request, `authn_certificate_change:${ref.name}`, sentence)
      }
      return done()
    },
  })
}

function deleteRoute(rooms: V1Rooms): Route {
  const { access } = rooms
  return defineRoute({
    method: 'DELETE',
    path: item,
    summary: 'Trust a certificate no more',
    access: { kind: 'entitlement', entitlement: 'can_delete', entity: (request) => askedCertificate(rooms, request) },
    handler: async (request) => {
      const { id } = getCertificate(rooms, askedCertificate(rooms, request))
      await access.execute('delete certificate', (rows) => {
        return { changes: deleteIdentityChanges(rows, access.hooks, id), result: undefined }
      })
      auditOf(rooms).certificateChanged(request, 'deleted', id)
      return done()
    },
  })
}

/** By the first digits of its fingerprint, among those that the caller may see; else what was typed. */
function askedCertificate({ access }: V1Rooms, request: ApiRequest): EntityRef {
  const typed = request.param('fingerprint')
  const found = findCertificates(access.rows, typed).filter(({ id }) => request.mayView(certificateRef(id)))
  if (found.length <= 1) return certificateRef(found[0]?.id ?? typed)
  const sentence = `${found.length} certificates start with ${JSON.stringify(typed)}: give more of the fingerprint`
  throw new LinkspanError('invalid-request', sentence)
}

/** Throws `not-found`, also for what an identity with groups is known by. */
function getCertificate({ access }: V1Rooms, { name }: EntityRef) {
  const [found] = findCertificates(access.rows, name)
  if (found) return getIdentity(access.rows, found.id)
  throw new LinkspanError('not-found', `Certificate ${JSON.stringify(name)} not found`)
}
