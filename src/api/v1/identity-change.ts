import {
  announceCertificateChanges,
  firstGeneration,
  getIdentity,
  updateIdentityChanges,
} from '../../access/identities.ts'
import { type IdentityCertificate, type IdentityRow, isLegacy } from '../../access/rows.ts'
import { LinkspanError } from '../../base/errors.ts'
import type { EntityRef } from '../../contract/entities.ts'
import type { IdentityPut } from '../../contract/v1.ts'
import type { ApiRequest } from '../request.ts'
import { checkMatch } from './etag.ts'
import { showIdentity } from './identity-view.ts'
import type { V1Rooms } from './rooms.ts'

interface Change {
  /** The caller may edit the identity; otherwise it is his own, of which he may replace the certificate. */
  privileged: boolean
  /** It is the caller's own: a cluster that tells no generation was never restored. */
  isSelf: boolean
  /** PUT: no groups given means none. PATCH: it means those that there are. */
  replacesGroups: boolean
  certificate?: IdentityCertificate
  /** One that is announced. */
  next?: IdentityCertificate
  generation?: number
}

/** Whoever may not edit an identity may still change his own; nobody else gets past this. `ref`: as it is judged. */
export function requireChange(request: ApiRequest<unknown>, ref: EntityRef): Pick<Change, 'privileged' | 'isSelf'> {
  const privileged = request.may('can_edit', ref)
  const isSelf = request.subject.kind === 'identity' && request.subject.identity.id === ref.name
  if (!privileged && !isSelf) request.require('can_edit', ref)
  return { privileged, isSelf }
}

/** So long is an announced certificate accepted beside the one that it is to follow. */
const announcedMs = 7 * 86_400_000

/** The identity as it is now, or undefined when there was nothing to change. */
export function changeIdentity(
  { access, clock }: V1Rooms,
  request: ApiRequest<IdentityPut>,
  change: Change,
): Promise<IdentityRow | undefined> {
  return access.execute('update identity', (rows) => {
    const before = getIdentity(rows, request.param('nameOrId'))
    if (isLegacy(before)) {
      const problem = 'A certificate that is trusted without groups is none to be changed here'
      throw new LinkspanError('unsupported', `${problem}: use /1.0/certificates/${before.id}`)
    }
    checkMatch(request, showIdentity(before))
    const groups = wantedGroups(request, before, change)
    const { certificate, next } = change
    const generation = change.generation ?? (change.isSelf ? firstGeneration : undefined)
    if (next) {
      if (groups || certificate) throw notAlone()
      const announced = { certificate: next, untilMs: clock.wallMs() + announcedMs }
      const given = { ...announced, generation: generation ?? firstGeneration }
      const { changes, identity } = announceCertificateChanges(rows, access.hooks, before.id, given)
      return { changes, result: identity }
    }
    if (!groups && !certificate) return { changes: [], result: undefined }
    const update = updateIdentityChanges(rows, access.hooks, before.id, {
      ...(groups ? { groups } : {}),
      ...(certificate ? { certificate } : {}),
      ...(certificate && generation !== undefined ? { generation } : {}),
    })
    return { changes: update.changes, result: update.identity }
  })
}

function notAlone(): LinkspanError {
  const sentence = 'Announce a certificate in a request of its own, by PATCH and without groups'
  return new LinkspanError('invalid-request', sentence)
}

function wantedGroups(request: ApiRequest<IdentityPut>, before: IdentityRow, change: Change): string[] | undefined {
  const given = request.body.groups ?? []
  const keeps = given.length === 0 && !change.replacesGroups
  if (!change.privileged) {
    const same = [...new Set(given)].sort().join('\n') === before.groups.join('\n')
    if (same || keeps) return undefined
    throw new LinkspanError('not-permitted', 'Of your own identity you may change the certificate, not the groups')
  }
  if (keeps) return undefined
  // Neither take somebody out of a group, nor put somebody in one, that you know nothing of.
  const hidden = [...before.groups, ...given].find((name) => !request.mayView({ type: 'group', name }))
  if (hidden === undefined) return given
  const sentence = `This needs "can_view" on every group that the identity is or will be in`
  throw new LinkspanError('not-permitted', sentence)
}
