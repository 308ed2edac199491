import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { LinkspanError } from '../base/errors.ts'
import { readTextIfThere } from '../identity/files.ts'
import type { KeyPair } from '../identity/keys.ts'
import type { StoredRow } from '../store/row-log.ts'
import type { Store } from '../store/store.ts'
import { backupBytesMax } from './file.ts'

/** The state of one daemon, as it is in a backup. */
export interface BackupContents {
  /** All rows of the store, as of one moment. */
  rows: StoredRow[]
  /** Texts of the state directory by their names: keys, certificates, the daemon's own config. */
  files: Record<string, string>
}

const layoutVersion = 1
/** Keys and certificates of host and cluster, those that are kept for peers included; the key of sealed values. */
const keptFiles = /^(host|cluster|cluster-[0-9a-f]+)\.(crt|key)$|^seal\.key$|^linkspand\.json$/
const [compress, decompress] = [promisify(gzip), promisify(gunzip)]

/** `cluster`: the pair that is served at this moment, which its rotation may be just about to replace. */
export async function collectContents(store: Store, directory: string, cluster: KeyPair): Promise<BackupContents> {
  const names = (await readdir(directory)).filter((name) => keptFiles.test(name))
  const read = await Promise.all(
    names.map(async (name) => [name, await readTextIfThere(join(directory, name))] as const),
  )
  const files = Object.fromEntries(read.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])))
  // Within a command: what is in it is durable once the command is, and nothing else is in it.
  const rows = await store.execute('back up', () => ({ changes: [], result: store.dump() }))
  return { rows, files: { ...files, 'cluster.crt': cluster.certificatePem, 'cluster.key': cluster.privateKeyPem } }
}

export async function encodeContents({ rows, files }: BackupContents): Promise<Buffer> {
  return compress(JSON.stringify({ layout: layoutVersion, rows, files }))
}

/** Throws `corrupt` and `state-too-new`. */
export async function decodeContents(bytes: Buffer): Promise<BackupContents> {
  const { layout, rows, files } = await parse(bytes)
  if (typeof layout === 'number' && layout > layoutVersion) {
    const problem = `This backup is of layout ${layout}, this Linkspan knows ${layoutVersion}`
    throw new LinkspanError('state-too-new', `${problem}: restore it with the version that made it, or a newer one`)
  }
  if (!Array.isArray(rows) || !rows.every(isRow) || !isTexts(files)) throw unreadable()
  return { rows, files }
}

async function parse(bytes: Buffer): Promise<Record<string, unknown>> {
  try {
    const text = await decompress(bytes, { maxOutputLength: backupBytesMax })
    return (JSON.parse(text.toString('utf8')) ?? {}) as Record<string, unknown>
  } catch (cause) {
    throw unreadable(cause)
  }
}

function isRow(row: unknown): row is StoredRow {
  const { kind, key, value } = (row ?? {}) as Record<string, unknown>
  return [kind, key, value].every((part) => typeof part === 'string')
}

/** Its names become files: only those that we would have taken. */
function isTexts(files: unknown): files is Record<string, string> {
  if (typeof files !== 'object' || files === null) return false
  return Object.entries(files).every(([name, text]) => keptFiles.test(name) && typeof text === 'string')
}

function unreadable(cause?: unknown): LinkspanError {
  const sentence = 'What is in this backup cannot be read: take another one, and tell us of this one'
  return new LinkspanError('corrupt', sentence, { cause })
}
