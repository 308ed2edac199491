import { listIdentities } from '../access/identities.ts'
import type { Clock } from '../base/clock.ts'
import { entityUrl, serverRef } from '../contract/entities.ts'
import type { Warnings } from '../events/warnings.ts'
import { certificateEndMs } from '../identity/certificate.ts'
import type { RowsView } from '../store/rows.ts'

const type = 'Certificate expires soon'
const noticeMs = 30 * 86_400_000

export interface ExpiryOptions {
  rows: RowsView
  warnings: Warnings
  clock: Clock
  /** PEM: what the port serves, and links present. */
  ownCertificate: string
}

/** Warns a month before a certificate of ours or of an identity ends, while it can still be replaced without a gap. */
export async function warnOfExpiry({ rows, warnings, clock, ownCertificate }: ExpiryOptions): Promise<void> {
  const known = [
    {
      entity: entityUrl(serverRef),
      endMs: certificateEndMs(ownCertificate),
      wayOut: 'replace the certificate of the cluster, and link again whoever still pins this one',
    },
    ...listIdentities(rows).flatMap(({ id, name, certificate }) => {
      if (!certificate) return []
      const wayOut = `give the identity ${JSON.stringify(name)} another certificate`
      return [{ entity: entityUrl({ type: 'identity', name: id }), endMs: certificate.validToMs, wayOut }]
    }),
  ]
  const nowMs = clock.wallMs()
  const ending = known.filter(({ endMs }) => endMs - nowMs < noticeMs)
  for (const { entity, endMs, wayOut } of ending) {
    const message = `The certificate ends at ${new Date(endMs).toISOString()}: ${wayOut}`
    await warnings.raise({ type, entity, message, severity: endMs <= nowMs ? 'high' : 'moderate' })
  }
  const over = warnings.list().filter((warning) => {
    return warning.type === type && !ending.some(({ entity }) => entity === warning.entity)
  })
  for (const { entity } of over) await warnings.resolve({ type, entity })
}
