import type { KeyObject } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { LinkspanError } from '../base/errors.ts'
import { silentLog } from '../base/log.ts'
import { fingerprintOf } from '../identity/certificate.ts'
import { syncDirectory, writeFileAtomically } from '../identity/files.ts'
import { restoredFactsChanges } from '../link/cluster-facts.ts'
import { restoredRotationChanges } from '../link/rotation-rows.ts'
import { restoredMirrorChanges } from '../mirror/restored.ts'
import { Rows } from '../store/rows.ts'
import { openStore } from '../store/store.ts'
import { type BackupContents, decodeContents } from './contents.ts'
import { type BackupFile, openBackup, verifyBackup } from './file.ts'

export interface RestoreRequest {
  bytes: Buffer
  secret: KeyObject
  /** Of the host to be: missing or empty. */
  directory: string
}

/** A backup that was opened and found whole, to the last row. */
export interface OpenedBackup extends BackupFile {
  contents: BackupContents
}

/** Throws `corrupt`, also for another recovery key, and `state-too-new`. */
export async function openWhole(bytes: Buffer, secret: KeyObject): Promise<OpenedBackup> {
  const file = verifyBackup(bytes)
  const contents = await decodeContents(openBackup(bytes, secret))
  const certificate = contents.files['cluster.crt']
  if (certificate === undefined || fingerprintOf(certificate) !== file.facts.fingerprint) {
    throw new LinkspanError('corrupt', 'The keys in this backup are not those of the cluster that signed it')
  }
  // Every row is read once: one that is damaged, or of a newer version, is told here and not at the daemon's start.
  new Rows(contents.rows).dump()
  return { ...file, contents }
}

/**
 * Makes a state directory of a backup. A daemon that is started on it is the host that was lost, of the next
 * generation: it takes another certificate, and tells the clusters that it is linked with. Returns that generation.
 * Throws what `openWhole` throws, and `state-conflict` for a directory that is not empty; then nothing is left.
 */
export async function restoreBackup({ bytes, secret, directory }: RestoreRequest): Promise<number> {
  const opened = await openWhole(bytes, secret)
  const target = resolve(directory)
  await checkEmpty(target)
  const building = join(dirname(target), `.${basename(target)}.restoring`)
  await mkdir(dirname(target), { recursive: true })
  await rm(building, { recursive: true, force: true })
  try {
    const generation = await build(building, opened)
    // In one step: a restore that is interrupted leaves no state that a daemon would start on.
    await rename(building, target)
    await syncDirectory(dirname(target))
    return generation
  } finally {
    await rm(building, { recursive: true, force: true })
  }
}

async function checkEmpty(directory: string): Promise<void> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw new LinkspanError('invalid-request', `${directory} cannot be restored to: name a directory`, { cause: error })
  })
  if (names.length === 0) return
  const problem = `${directory} is not empty: a backup is restored to a directory that is missing or empty`
  throw new LinkspanError('state-conflict', `${problem}; name another one with --state-dir`)
}

async function build(directory: string, { contents, facts }: OpenedBackup): Promise<number> {
  await mkdir(directory, { mode: 0o700 })
  for (const [name, text] of Object.entries(contents.files)) await writeFileAtomically(join(directory, name), text)
  await using store = await openStore({ directory, log: silentLog })
  await store.execute('restore rows', () => ({ changes: contents.rows, result: undefined }))
  return await store.execute('begin next generation', (rows) => {
    const generation = facts.generation + 1
    const changes = [
      ...restoredFactsChanges(rows, generation),
      ...restoredRotationChanges(rows, facts.fingerprint),
      ...restoredMirrorChanges(rows),
    ]
    return { changes, result: generation }
  })
}
