import { LinkspanError } from '../base/errors.ts'
import type { EntityRef } from '../contract/entities.ts'
import { hashSecret, mintSecret, secretMatcher } from '../identity/trust-token.ts'
import type { RowChange } from '../store/row-log.ts'
import type { RowsView } from '../store/rows.ts'
import { checkGroups } from './groups.ts'
import type { AccessHooks } from './hooks.ts'
import { checkIdentityName } from './names.ts'
import { forgetEntitiesChanges, renameEntitiesChanges } from './permissions.ts'
import {
  type AnnouncedCertificate,
  type IdentityCertificate,
  type IdentityKind,
  type IdentityRow,
  identityTable,
  type LegacyKind,
  type SupersededCertificate,
} from './rows.ts'

const identitiesMax = 10_000
const pendingMax = 1000
const supersededMax = 8
/** Of a cluster that was never restored. */
export const firstGeneration = 1

export interface IdentityInput {
  kind: IdentityKind
  name: string
  groups: readonly string[]
  nowMs: number
}

/** Row changes that make up one atomic batch, and the identity that they lead to. */
export interface IdentityChanges {
  changes: RowChange[]
  identity: IdentityRow
}

/** In the order of identifiers. */
export function listIdentities(rows: RowsView): IdentityRow[] {
  return rows.list(identityTable).map(({ row }) => row)
}

export function identityRef(identity: Pick<IdentityRow, 'id'>): EntityRef {
  return { type: 'identity', name: identity.id }
}

/** All by which permissions may name it. */
function refsOf(identity: Pick<IdentityRow, 'id'>): EntityRef[] {
  return [identityRef(identity), { type: 'certificate', name: identity.id }]
}

/** By identifier, else by name. Undefined when there is none. */
export function findIdentity(rows: RowsView, nameOrId: string): IdentityRow | undefined {
  if (nameOrId === '') return undefined
  return rows.get(identityTable, nameOrId) ?? listIdentities(rows).find(({ name }) => name === nameOrId)
}

/** Throws `not-found`. */
export function getIdentity(rows: RowsView, nameOrId: string): IdentityRow {
  const identity = findIdentity(rows, nameOrId)
  if (!identity) throw new LinkspanError('not-found', `Identity ${JSON.stringify(nameOrId)} not found`)
  return identity
}

/** An identity that is known by its certificate from the start. */
export function createIdentityChanges(
  rows: RowsView,
  hooks: AccessHooks,
  input: IdentityInput & { certificate: IdentityCertificate },
): IdentityChanges {
  const { certificate } = input
  checkCertificateFree(rows, hooks, certificate.fingerprint)
  const identity = newIdentity(rows, input, { id: certificate.fingerprint, certificate, pending: null })
  return { changes: [identityTable.put(identity.id, identity)], identity }
}

/** An identity that whoever holds the secret can become, once. Only the secret's hash is kept. */
export function createPendingIdentityChanges(
  rows: RowsView,
  input: IdentityInput & { expiresAtMs: number | null },
): IdentityChanges & { secret: string } {
  const pendingCount = listIdentities(rows).filter(({ pending }) => pending !== null).length
  if (pendingCount >= pendingMax) {
    throw new LinkspanError('too-large', `${pendingMax} tokens wait to be used already: delete some of them first`)
  }
  const secret = mintSecret()
  const pending = { secretHash: hashSecret(secret), expiresAtMs: input.expiresAtMs }
  const identity = newIdentity(rows, input, { id: crypto.randomUUID(), certificate: null, pending })
  return { changes: [identityTable.put(identity.id, identity)], identity, secret }
}

/** Another secret in the place of one that was lost: the old one is void, and the expiry begins anew. */
export function reissueSecretChanges(
  rows: RowsView,
  nameOrId: string,
  { nowMs, expiresAtMs }: { nowMs: number; expiresAtMs: number | null },
): IdentityChanges & { secret: string } {
  const before = getIdentity(rows, nameOrId)
  if (!before.pending) {
    const sentence = `Identity ${JSON.stringify(before.name)} has used its token, and needs no other`
    throw new LinkspanError('state-conflict', sentence)
  }
  const secret = mintSecret()
  const pending = { secretHash: hashSecret(secret), expiresAtMs, issuedAtMs: nowMs }
  const identity: IdentityRow = { ...before, pending }
  return { changes: [identityTable.put(identity.id, identity)], identity, secret }
}

function newIdentity(
  rows: RowsView,
  input: IdentityInput,
  means: Pick<IdentityRow, 'id' | 'certificate' | 'pending'>,
): IdentityRow {
  checkIdentityName(input.name)
  checkNameFree(rows, input.name)
  if (rows.count(identityTable) >= identitiesMax) {
    throw new LinkspanError('too-large', `There are ${identitiesMax} identities already: delete some of them first`)
  }
  const { kind, name, nowMs } = input
  return { ...means, kind, name, groups: checkGroups(rows, input.groups), createdAtMs: nowMs }
}

/**
 * The pending identity of a secret. Throws `token-unknown` and `token-type`; an expired one is returned like any other,
 * for the caller to delete. Takes the same time for every wrong secret.
 */
export function findPending(rows: RowsView, secret: string, kind: IdentityKind): IdentityRow {
  const matches = secretMatcher(secret)
  let found: IdentityRow | undefined
  for (const identity of listIdentities(rows)) {
    if (identity.pending && matches(identity.pending.secretHash)) found = identity
  }
  if (!found) {
    const sentence = 'This token is not known here: it was used already, was deleted, or is of another cluster'
    throw new LinkspanError('token-unknown', sentence)
  }
  if (found.kind !== kind) {
    const [is, wanted] = found.kind === 'client' ? ['a client', 'a cluster link'] : ['a cluster link', 'a client']
    throw new LinkspanError('token-type', `This token is for ${is}, not for ${wanted}: ask for one of the right type`)
  }
  return found
}

export function isPendingExpired(identity: IdentityRow, nowMs: number): boolean {
  const expiresAtMs = identity.pending?.expiresAtMs ?? null
  return expiresAtMs !== null && nowMs >= expiresAtMs
}

/**
 * Spends the token of a pending identity: from then on its certificate is who it is. Its identifier becomes the
 * fingerprint, and permissions on it follow. Throws `token-unknown`, `token-type`, `token-expired`, `already-exists`.
 */
export function activateIdentityChanges(
  rows: RowsView,
  hooks: AccessHooks,
  input: { secret: string; kind: IdentityKind; certificate: IdentityCertificate; nowMs: number },
): IdentityChanges {
  const pending = findPending(rows, input.secret, input.kind)
  if (isPendingExpired(pending, input.nowMs)) throw expiredToken()
  checkCertificateFree(rows, hooks, input.certificate.fingerprint)
  return replaceCertificate(rows, hooks, pending, { certificate: input.certificate })
}

export function expiredToken(): LinkspanError {
  return new LinkspanError('token-expired', 'This token has expired: ask for a new one')
}

export interface IdentityUpdate {
  groups?: readonly string[]
  certificate?: IdentityCertificate
  name?: string
  kind?: LegacyKind
  /** That the cluster behind it tells together with a certificate. */
  generation?: number
}

/** Whatever of it is given. */
export function updateIdentityChanges(
  rows: RowsView,
  hooks: AccessHooks,
  id: string,
  update: IdentityUpdate,
): IdentityChanges {
  const before = getIdentity(rows, id)
  const { groups, certificate, generation, name = before.name, kind = before.kind } = update
  if (generation !== undefined) checkGeneration(before, generation)
  if (name !== before.name) {
    checkIdentityName(name)
    checkNameFree(rows, name)
  }
  const changed = { ...before, name, kind, groups: groups ? checkGroups(rows, groups) : before.groups }
  if (!certificate || certificate.fingerprint === before.certificate?.fingerprint) {
    return { changes: [identityTable.put(changed.id, changed)], identity: changed }
  }
  if (before.pending) {
    const sentence = 'A pending identity gets its certificate from whoever uses its token; it cannot be given one'
    throw new LinkspanError('invalid-request', sentence)
  }
  if (certificate.fingerprint !== before.next?.certificate.fingerprint) {
    checkCertificateFree(rows, hooks, certificate.fingerprint)
  }
  return replaceCertificate(rows, hooks, changed, { certificate, generation })
}

/**
 * Accepts a second certificate for an identity, until the identity takes it for its own (`updateIdentityChanges`) or
 * the time is over (`forgetAnnouncedChanges`). One that was announced before is forgotten.
 */
export function announceCertificateChanges(
  rows: RowsView,
  hooks: AccessHooks,
  id: string,
  announced: AnnouncedCertificate,
): IdentityChanges {
  const { certificate } = announced
  const before = getIdentity(rows, id)
  checkGeneration(before, announced.generation)
  if (!before.certificate) {
    throw new LinkspanError('invalid-request', 'A pending identity has no certificate that another could follow')
  }
  if (certificate.fingerprint === before.id) {
    throw new LinkspanError('invalid-request', 'This is the certificate that the identity has already')
  }
  const known = before.next?.certificate.fingerprint === certificate.fingerprint
  if (!known) checkCertificateFree(rows, hooks, certificate.fingerprint)
  const identity: IdentityRow = { ...before, next: announced }
  return { changes: [identityTable.put(identity.id, identity), ...hooks.announcementOf(rows, identity)], identity }
}

/** The announced certificate is accepted no longer. */
export function forgetAnnouncedChanges(rows: RowsView, hooks: AccessHooks, id: string): RowChange[] {
  const { next: _, ...identity } = getIdentity(rows, id)
  return [identityTable.put(identity.id, identity), ...hooks.announcementOf(rows, identity)]
}

/** Throws `state-conflict` for whoever was replaced by a restored one: the higher generation counts. */
function checkGeneration({ name, generation = firstGeneration, next }: IdentityRow, told: number): void {
  const known = Math.max(generation, next?.generation ?? firstGeneration)
  if (told >= known) return
  const problem = `Generation ${told} of the cluster behind ${JSON.stringify(name)} is over`
  throw new LinkspanError('state-conflict', `${problem}: one of generation ${known} was restored from its backup`)
}

/** The generation that took the place of a certificate's holder; undefined when nobody did. */
export function supersededBy(rows: RowsView, fingerprint: string): number | undefined {
  for (const { superseded } of listIdentities(rows)) {
    const found = superseded?.find((one) => one.fingerprint === fingerprint)
    if (found) return found.generation
  }
  return undefined
}

function replaceCertificate(
  rows: RowsView,
  hooks: AccessHooks,
  before: IdentityRow,
  { certificate, generation }: { certificate: IdentityCertificate; generation?: number | undefined },
): IdentityChanges {
  const { next: _, ...kept } = before
  const id = certificate.fingerprint
  const told = generation === undefined ? {} : { generation, superseded: supersededBefore(before, generation) }
  const identity: IdentityRow = { ...kept, id, certificate, pending: null, ...told }
  const changes = [
    identityTable.remove(before.id),
    identityTable.put(identity.id, identity),
    ...renameEntitiesChanges(rows, refsOf(before), refsOf(identity)),
    ...hooks.replacementOf(rows, before, identity),
  ]
  return { changes, identity }
}

/** With a higher generation than before, whoever still has the certificate that is replaced was replaced himself. */
function supersededBefore(before: IdentityRow, generation: number): SupersededCertificate[] {
  const { id, generation: known = firstGeneration, superseded = [] } = before
  if (generation <= known) return superseded
  return [{ fingerprint: id, generation }, ...superseded].slice(0, supersededMax)
}

/** Its identifier, and so what permissions name, stays. */
export function renameIdentityChanges(rows: RowsView, id: string, name: string): IdentityChanges {
  const before = getIdentity(rows, id)
  checkIdentityName(name)
  if (name !== before.name) checkNameFree(rows, name)
  const identity = { ...before, name }
  return { changes: [identityTable.put(id, identity)], identity }
}

/** Whatever hangs on the identity goes with it. `alsoGone`: further entities that the same batch takes away. */
export function deleteIdentityChanges(
  rows: RowsView,
  hooks: AccessHooks,
  id: string,
  alsoGone: readonly EntityRef[] = [],
): RowChange[] {
  const identity = getIdentity(rows, id)
  const cascade = hooks.cascadeOf(rows, identity)
  const gone = [...refsOf(identity), ...cascade.gone, ...alsoGone]
  return [identityTable.remove(identity.id), ...cascade.changes, ...forgetEntitiesChanges(rows, gone)]
}

function checkNameFree(rows: RowsView, name: string): void {
  if (listIdentities(rows).some((identity) => identity.name === name)) {
    throw new LinkspanError('already-exists', `An identity with the name ${JSON.stringify(name)} already exists`)
  }
}

/** Throws `already-exists`: one certificate is one identity, or the pin of one link. */
export function checkCertificateFree(rows: RowsView, hooks: AccessHooks, fingerprint: string): void {
  const identity =
    rows.get(identityTable, fingerprint) ??
    listIdentities(rows).find(({ next }) => next?.certificate.fingerprint === fingerprint)
  const holder = identity ? `the identity ${JSON.stringify(identity.name)}` : hooks.holderOf(rows, fingerprint)
  if (holder === undefined) return
  throw new LinkspanError('already-exists', `This certificate already exists here: it belongs to ${holder}`)
}
