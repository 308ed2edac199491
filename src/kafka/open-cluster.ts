import { createDialler } from '../transport/create-dialler.ts'
import type { Dialler } from '../transport/dialler.ts'
import { KafkaCluster } from './cluster.ts'
import type { ClusterOptions } from './cluster-options.ts'
import type { ClusterSpec } from './spec.ts'

/**
 * A client of the cluster that a spec describes, or that a dialler reaches; it owns the dialler from then on. Nothing
 * is dialled before the first request.
 */
export function openCluster(
  where: ClusterSpec | Dialler,
  options: Omit<ClusterOptions, 'clientId'> & { clientId?: string },
): KafkaCluster {
  if ('dial' in where) return new KafkaCluster({ ...options, clientId: options.clientId ?? 'linkspan', dialler: where })
  const clientId = options.clientId ?? where.clientId
  const sasl = where.reach === 'kafka' ? where.sasl : undefined
  return new KafkaCluster({ ...options, clientId, sasl, dialler: createDialler(where) })
}
