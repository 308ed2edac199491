import { listIdentities } from '../../access/identities.ts'
import { serverRef } from '../../contract/entities.ts'
import { ClusterCertificate, ClusterCertificatePut, Operation } from '../../contract/v1.ts'
import type { CertificatePems } from '../../identity/certificate.ts'
import type { CertificateRotation, RotationReport } from '../../link/rotation.ts'
import { linkOfIdentity, linkRef, listLinks } from '../../link/rows.ts'
import { listSuccession } from '../../link/succession-rows.ts'
import type { ApiRequest } from '../request.ts'
import { type Answer, defineRoute, type Route } from '../route.ts'
import { started, sync } from './envelope.ts'
import { auditOf, type V1Rooms } from './rooms.ts'

export interface CertificateRooms extends V1Rooms {
  rotation: CertificateRotation
}

const path = '/1.0/cluster/certificate'
const edit = { kind: 'entitlement', entitlement: 'can_edit', entity: () => serverRef } as const

/** The certificate that the port serves and that links present; LXD's route to replace it, and ours to make another. */
export function clusterCertificateRoutes(rooms: CertificateRooms): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path,
      summary: "Show the cluster's certificate, and how far its rotation is",
      // Who pins a certificate that went is a stranger until it has found its successor.
      access: { kind: 'open' },
      result: ClusterCertificate,
      handler: (request) => sync(show(rooms, request)),
    }),
    defineRoute({
      method: 'POST',
      path,
      summary: "Rotate the cluster's certificate: a new key and certificate, which linked clusters are told of",
      access: edit,
      answers: [202],
      result: Operation,
      handler: (request) => rotate(rooms, request),
    }),
    defineRoute({
      method: 'PUT',
      path,
      summary: "Replace the cluster's certificate by the given one, which linked clusters are told of",
      access: edit,
      answers: [202],
      result: Operation,
      body: ClusterCertificatePut,
      handler: (request) => {
        const { cluster_certificate: certificatePem, cluster_certificate_key: privateKeyPem } = request.body
        return rotate(rooms, request, { certificatePem, privateKeyPem })
      },
    }),
  ]
}

/** Which links are left is for those to know who may see them. */
function show({ rotation, server, access }: CertificateRooms, request: ApiRequest): ClusterCertificate {
  const { pending } = rotation
  const succession = listSuccession(access.rows)
  const shown = { certificate: server.certificatePem(), fingerprint: server.fingerprint(), succession }
  if (!pending || request.subject.kind === 'untrusted') return { ...shown, rotation: null }
  const links = listLinks(access.rows).filter((link) => link.id in pending.peers && request.mayView(linkRef(link)))
  const untold = links.map(({ id, name }) => ({ link: name, problem: pending.peers[id]!.problem ?? '' }))
  const { previous, next, switched, startedMs } = pending
  return { ...shown, rotation: { previous, next, switched, started_at: new Date(startedMs).toISOString(), untold } }
}

async function rotate(rooms: CertificateRooms, request: ApiRequest<unknown>, given?: CertificatePems): Promise<Answer> {
  const { rotation, operations } = rooms
  await rotation.begin(given)
  auditOf(rooms).lifecycle(request, 'cluster-certificate-updated', path)
  const operation = operations.run(
    { class: 'task', description: "Rotating the cluster's certificate", requestor: request.requestor },
    async (_, signal) => ({ ...report(await rotation.carryOut(signal)), ...leftOut(rooms) }),
  )
  return started(operation.view)
}

function report({ fingerprint, previous, told, untold }: RotationReport) {
  return { fingerprint, previous_fingerprint: previous, told, untold }
}

/** What the rotation cannot reach: tokens name the old certificate, and so do the pins of one-way links to here. */
function leftOut({ access }: CertificateRooms) {
  const { rows } = access
  const identities = listIdentities(rows)
  const pending = identities.filter((identity) => identity.pending !== null)
  const oneWay = identities.filter(({ kind, id, pending }) => {
    return kind === 'cluster-link' && pending === null && !linkOfIdentity(rows, id)
  })
  return { void_tokens: pending.map(({ name }) => name), one_way: oneWay.map(({ name }) => name) }
}
