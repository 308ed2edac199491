import { firstGeneration } from '../access/identities.ts'
import { LinkspanError } from '../base/errors.ts'
import { type ClusterId, newClusterId } from '../base/ids.ts'
import type { RowChange } from '../store/row-log.ts'
import type { RowsView } from '../store/rows.ts'
import type { Store } from '../store/store.ts'
import { defineTable } from '../store/table.ts'

/** What this cluster is, for good. */
export interface ClusterFactsRow {
  clusterId: ClusterId
  /** One more each time that it is restored from a backup; missing: it never was. */
  generation?: number
  /** It has just been restored: its first start is to make it known. */
  restored?: true
  /** Of the Kafka that it fronts, once that has answered for the first time. */
  kafkaClusterId?: string
}

export const clusterFactsTable = defineTable<ClusterFactsRow>('cluster-facts', 1)

const rowKey = 'cluster'

/** Made at first start. */
export function loadClusterFacts(store: Store): Promise<ClusterFactsRow> {
  return store.execute('load cluster facts', (rows) => {
    const found = rows.get(clusterFactsTable, rowKey)
    if (found) return { changes: [], result: found }
    const facts: ClusterFactsRow = { clusterId: newClusterId() }
    return { changes: [clusterFactsTable.put(rowKey, facts)], result: facts }
  })
}

/** From 1; linked clusters compare it, and the higher one counts. */
export function generationOf(rows: RowsView): number {
  return rows.get(clusterFactsTable, rowKey)?.generation ?? firstGeneration
}

/** What a restored state begins with. */
export function restoredFactsChanges(rows: RowsView, generation: number): RowChange[] {
  const facts = rows.get(clusterFactsTable, rowKey)
  if (!facts) throw new LinkspanError('corrupt', 'The backup does not say which cluster it is of: take another one')
  return [clusterFactsTable.put(rowKey, { ...facts, generation, restored: true })]
}

export function isRestored(rows: RowsView): boolean {
  return rows.get(clusterFactsTable, rowKey)?.restored === true
}

/** The certificate of the new generation is there: what is left goes on as any rotation. */
export function madeKnown(store: Store): Promise<void> {
  return store.execute('begin life after restore', (rows) => {
    const { restored: _, ...facts } = rows.get(clusterFactsTable, rowKey)!
    return { changes: [clusterFactsTable.put(rowKey, facts)], result: undefined }
  })
}

/** Throws `destination-changed` when the state directory belongs to another Kafka. */
export function pinKafkaCluster(store: Store, kafkaClusterId: string): Promise<void> {
  return store.execute('pin Kafka cluster', (rows) => {
    const facts = rows.get(clusterFactsTable, rowKey)!
    if (facts.kafkaClusterId === kafkaClusterId) return { changes: [], result: undefined }
    if (facts.kafkaClusterId !== undefined) {
      const problem = `The Kafka of --kafka is cluster ${kafkaClusterId}, this state is that of ${facts.kafkaClusterId}`
      const wayOut = 'give the bootstrap servers of the right one, or another --state-dir'
      throw new LinkspanError('destination-changed', `${problem}: ${wayOut}`)
    }
    return { changes: [clusterFactsTable.put(rowKey, { ...facts, kafkaClusterId })], result: undefined }
  })
}
