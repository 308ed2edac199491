import type { Fingerprint, LinkId } from '../base/ids.ts'
import type { RowChange } from '../store/row-log.ts'
import type { RowsView } from '../store/rows.ts'
import { defineTable } from '../store/table.ts'

/**
 * A change of this cluster's own certificate, from its beginning until every linked cluster knows us by the new one.
 * Another may begin as soon as this one has switched; what is left of it then goes along.
 */
export interface RotationRow {
  previous: Fingerprint
  /** Of the certificate that is to be served, or is since the switch. */
  next: Fingerprint
  switched: boolean
  startedMs: number
  /** Clusters that know us by an older certificate. */
  peers: Record<LinkId, UntoldPeer>
  /** Older certificates whose keys are kept, to be recognised by those. */
  retired: RetiredCertificate[]
}

export interface UntoldPeer {
  /** By which certificate. */
  knows: Fingerprint
  /** Why it could not be told so far. */
  problem?: string
}

export interface RetiredCertificate {
  fingerprint: Fingerprint
  /** Then its key goes, and whoever knows us by it only has to be linked again. */
  untilMs: number
}

export const rotationTable = defineTable<RotationRow>('certificate-rotation', 1)

const rowKey = 'cluster'

export function findRotation(rows: RowsView): RotationRow | undefined {
  return rows.get(rotationTable, rowKey)
}

/** The change that stores it; one with nothing left to do goes. */
export function putRotation(row: RotationRow): RowChange {
  const isOver = row.switched && Object.keys(row.peers).length === 0 && row.retired.length === 0
  return isOver ? rotationTable.remove(rowKey) : rotationTable.put(rowKey, row)
}

/** Of a rotation that a backup caught on its way: the certificate of then counts; who knows an older one still does. */
export function restoredRotationChanges(rows: RowsView, current: Fingerprint): RowChange[] {
  const row = findRotation(rows)
  if (!row) return []
  const peers = Object.entries(row.peers).filter(([, { knows }]) => knows !== current)
  return [putRotation({ ...row, next: current, switched: true, peers: Object.fromEntries(peers) })]
}

export function dropRotation(): RowChange {
  return rotationTable.remove(rowKey)
}
