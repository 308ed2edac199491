import type { StoredBackup } from '../../backup/folder.ts'
import type { InstanceBackup } from '../../contract/v1.ts'
import { neverExpires } from '../../identity/expiry.ts'
import type { Answer } from '../route.ts'

export function showBackup({ name, sizeBytes, facts }: StoredBackup): InstanceBackup {
  const { created_at, expires_at, instance, cluster_id, generation, fingerprint, recovery_key, version } = facts
  const ofLxd = { name, created_at, expires_at, instance_only: true, optimized_storage: false }
  return { ...ofLxd, size: sizeBytes, instance, cluster_id, generation, fingerprint, recovery_key, version }
}

/** One that came over a link: the time after which the other side deletes its own copy says nothing of this one. */
export function showPulled(backup: StoredBackup): InstanceBackup {
  return { ...showBackup(backup), expires_at: neverExpires }
}

export function exported(name: string, bytes: Buffer): Answer {
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': String(bytes.length),
    'content-disposition': `attachment; filename="${name}.backup"`,
  }
  return { status: 200, headers, body: bytes }
}
