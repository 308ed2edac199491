import type { TLSSocket } from 'node:tls'
import type { KeyPair } from '../identity/keys.ts'
import type { Pin } from '../transport/pinned.ts'
import { dialSideBySide } from '../transport/side-by-side.ts'

export interface PeerDial {
  addresses: readonly string[]
  fingerprint: Pin
  /** What we present; nothing when missing. */
  as?: KeyPair
  signal: AbortSignal
}

export const addressTimeoutMs = 5000

/** A connection to the first address of a peer that presents the pinned certificate. Throws the errors of the dial. */
export function dialPeer({ as, ...dial }: PeerDial): Promise<{ socket: TLSSocket; address: string }> {
  const keys = as ? { certificatePem: as.certificatePem, privateKeyPem: as.privateKeyPem } : {}
  return dialSideBySide({ ...dial, ...keys, alpn: 'http/1.1', timeoutMs: addressTimeoutMs })
}
