import type { Dialler } from './dialler.ts'
import { DirectDialler } from './direct-dialler.ts'
import type { ClusterSpec } from './spec.ts'
import { TunnelDialler } from './tunnel-dialler.ts'

/** `timeoutMs`: for every address, the connection and its handshake together. */
export function createDialler(spec: ClusterSpec, options: { timeoutMs?: number } = {}): Dialler {
  return spec.reach === 'kafka' ? new DirectDialler(spec, options) : new TunnelDialler(spec, options)
}
