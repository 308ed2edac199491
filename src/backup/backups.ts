import { join } from 'node:path'
import { serverConfig } from '../access/server-config.ts'
import type { Clock } from '../base/clock.ts'
import { LinkspanError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { formatExpiry, parseExpiry } from '../identity/expiry.ts'
import type { HostIdentity } from '../identity/keys.ts'
import { recoveryKeySetting } from '../identity/recovery-key.ts'
import type { Store } from '../store/store.ts'
import { collectContents, encodeContents } from './contents.ts'
import { type BackupFacts, encodeBackup } from './file.ts'
import { BackupFolder, type StoredBackup } from './folder.ts'

export interface BackupsOptions {
  store: Store
  identity: HostIdentity
  /** The state directory. */
  directory: string
  /** Of this host: what is backed up is called by it. */
  instance: string
  clusterId: string
  generation: () => number
  version: string
  clock: Clock
  log: Log
}

export interface BackupRequest {
  /** `backup0`, `backup1` … unless told. */
  name?: string
  /** RFC 3339; never unless told. */
  expiresAt?: string
}

const backupsMax = 1000

/** Backups of this daemon's own state, sealed for the recovery key of the server's config. */
export class Backups {
  readonly #options: BackupsOptions
  readonly #folder: BackupFolder
  #last: Promise<unknown> = Promise.resolve()

  constructor(options: BackupsOptions) {
    this.#options = options
    this.#folder = new BackupFolder(join(options.directory, 'backups', 'own'))
  }

  /** Those that have not expired. */
  async list(): Promise<StoredBackup[]> {
    return (await this.#folder.list()).filter((backup) => !this.#isExpired(backup))
  }

  /** Throws `not-found`. */
  async get(name: string): Promise<StoredBackup> {
    const found = await this.#folder.require(name)
    if (!this.#isExpired(found)) return found
    throw new LinkspanError('not-found', `Backup ${JSON.stringify(name)} not found: it has expired`)
  }

  /** The file itself. Throws `not-found`. */
  async read(name: string): Promise<Buffer> {
    await this.get(name)
    return this.#folder.read(name)
  }

  /** Throws `not-found`. */
  delete(name: string): Promise<void> {
    return this.#folder.delete(name)
  }

  /** Says what would go wrong before anything is begun: `invalid-request`, `invalid-config`, `already-exists`. */
  async check({ name, expiresAt }: BackupRequest): Promise<void> {
    this.#recoveryKey()
    endOf(expiresAt, this.#options.clock)
    if (name !== undefined) await this.#folder.checkFree(name)
  }

  /** One after another. */
  create(request: BackupRequest): Promise<StoredBackup> {
    const created = this.#last.then(() => this.#create(request))
    this.#last = created.catch(() => {})
    return created
  }

  /** Deletes those that have expired. To be called now and then. */
  async prune(): Promise<void> {
    for (const backup of await this.#folder.list()) {
      if (!this.#isExpired(backup)) continue
      await this.#folder.delete(backup.name)
      this.#options.log.info({ backup: backup.name }, 'An expired backup was deleted')
    }
  }

  async #create({ name, expiresAt }: BackupRequest): Promise<StoredBackup> {
    const { store, directory, identity, clock, instance, clusterId, generation, version, log } = this.#options
    const there = await this.#folder.list()
    if (there.length >= backupsMax) {
      throw new LinkspanError('too-large', `There are ${backupsMax} backups already: delete some of them first`)
    }
    const { cluster } = identity
    const facts: BackupFacts = {
      cluster_id: clusterId,
      instance,
      generation: generation(),
      fingerprint: cluster.fingerprint,
      created_at: new Date(clock.wallMs()).toISOString(),
      expires_at: formatExpiry(endOf(expiresAt, clock)),
      version,
      recovery_key: this.#recoveryKey(),
    }
    const plain = await encodeContents(await collectContents(store, directory, cluster))
    const bytes = encodeBackup(facts, plain, cluster)
    const stored = await this.#folder.write(name ?? freeName(there), bytes)
    log.info({ backup: stored.name, bytes: stored.sizeBytes }, 'The state was backed up')
    return stored
  }

  #recoveryKey(): string {
    const key = serverConfig(this.#options.store.rows)[recoveryKeySetting]
    if (key !== undefined) return key
    const wayOut = `make one with "linkspan backup key create FILE", and set its public part as ${recoveryKeySetting}`
    throw new LinkspanError('invalid-request', `There is no recovery key that a backup could be sealed for: ${wayOut}`)
  }

  #isExpired({ facts }: StoredBackup): boolean {
    const endMs = parseExpiry(facts.expires_at) ?? null
    return endMs !== null && this.#options.clock.wallMs() >= endMs
  }
}

function freeName(there: readonly StoredBackup[]): string {
  const names = new Set(there.map(({ name }) => name))
  let count = 0
  while (names.has(`backup${count}`)) count += 1
  return `backup${count}`
}

/** Null is never. Throws `invalid-request`. */
function endOf(text: string | undefined, clock: Clock): number | null {
  if (text === undefined || text === '') return null
  const endMs = parseExpiry(text)
  if (endMs === undefined || (endMs !== null && endMs <= clock.wallMs())) {
    const expected = 'a time to come such as 2030-01-31T00:00:00Z'
    throw new LinkspanError('invalid-request', `Expected "expires_at" to be ${expected}, got ${JSON.stringify(text)}`)
  }
  return endMs
}
