import { createSign, createVerify, X509Certificate } from 'node:crypto'
import type { Fingerprint } from '../base/ids.ts'
import type { CertificateSuccession } from '../contract/v1.ts'
import { fingerprintOf } from '../identity/certificate.ts'
import type { KeyPair } from '../identity/keys.ts'
import type { RowChange } from '../store/row-log.ts'
import type { RowsView } from '../store/rows.ts'
import { defineTable } from '../store/table.ts'

/**
 * Which certificate of this cluster followed which, said by the one that went: so whoever pins an old one, and could
 * not be told, finds its way to the new one by itself. The key is the fingerprint of the one that went.
 */
export interface SuccessionRow extends CertificateSuccession {}

export const successionTable = defineTable<SuccessionRow>('certificate-succession', 1)

/** More than anybody misses; older ones go. */
const kept = 32

export function listSuccession(rows: RowsView): SuccessionRow[] {
  const all = rows.list(successionTable).map(({ row }) => row)
  return all.sort((one, other) => (one.issued_at < other.issued_at ? -1 : 1))
}

export function signSuccession(
  previous: KeyPair,
  next: KeyPair,
  { generation, nowMs }: { generation: number; nowMs: number },
): SuccessionRow {
  const said = {
    previous: previous.fingerprint,
    certificate: next.certificatePem,
    generation,
    issued_at: new Date(nowMs).toISOString(),
  }
  return { ...said, signature: createSign('sha384').update(textOf(said)).sign(previous.privateKeyPem, 'hex') }
}

export function addSuccession(rows: RowsView, said: SuccessionRow): RowChange[] {
  const old = listSuccession(rows).filter(({ previous }) => previous !== said.previous)
  const gone = old.slice(0, Math.max(0, old.length - kept + 1))
  return [...gone.map(({ previous }) => successionTable.remove(previous)), successionTable.put(said.previous, said)]
}

/** From a pinned certificate to another, each step signed by the key of the one before. Undefined: there is no way. */
export function followSteps(
  pinned: string,
  wanted: Fingerprint,
  said: readonly CertificateSuccession[],
): { certificatePem: string; generation: number } | undefined {
  let certificatePem = pinned
  let generation = 0
  for (let step = 0; step <= kept; step += 1) {
    const fingerprint = fingerprintOf(certificatePem)
    if (fingerprint === wanted) return step === 0 ? undefined : { certificatePem, generation }
    const next = said.find(({ previous }) => previous === fingerprint)
    if (!next || !isSignedBy(certificatePem, next)) return undefined
    certificatePem = next.certificate
    // A later step of a lower generation is that of a host that was replaced.
    if (next.generation < generation) return undefined
    generation = next.generation
  }
  return undefined
}

function isSignedBy(certificatePem: string, said: CertificateSuccession): boolean {
  try {
    const { publicKey } = new X509Certificate(certificatePem)
    fingerprintOf(said.certificate)
    return createVerify('sha384').update(textOf(said)).verify(publicKey, said.signature, 'hex')
  } catch {
    return false
  }
}

function textOf({ previous, certificate, generation, issued_at }: Omit<CertificateSuccession, 'signature'>): string {
  return JSON.stringify(['linkspan certificate succession 1', previous, certificate, generation, issued_at])
}
