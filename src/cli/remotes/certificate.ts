import { hostname, userInfo } from 'node:os'
import { systemClock } from '../../base/clock.ts'
import { type CertificatePems, createCertificate } from '../../identity/certificate.ts'
import type { RemotesFolder } from './folder.ts'

/** The user's own certificate, made when there is none; `made` tells which. */
export function ensureClient(folder: RemotesFolder): Promise<{ client: CertificatePems; made: boolean }> {
  // Two commands at once would leave the key of one beside the certificate of the other.
  return folder.exclusively(() => findOrMake(folder))
}

async function findOrMake(folder: RemotesFolder): Promise<{ client: CertificatePems; made: boolean }> {
  const found = await folder.readClient()
  if (found) return { client: found, made: false }
  const host = hostname()
  const commonName = `${userName()}@${host}`.slice(0, commonNameMax)
  const client = await createCertificate({ commonName, hostNames: [host], addresses: [], clock: systemClock })
  await folder.writeClient(client)
  return { client, made: true }
}

/** RFC 5280, upper bound of a common name. */
const commonNameMax = 64

/** A user id without an entry in the system's list has no name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'user')
  }
}
