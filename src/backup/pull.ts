import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { explainError, LinkspanError } from '../base/errors.ts'
import type { LinkId } from '../base/ids.ts'
import type { Log } from '../base/log.ts'
import { intervalMs } from '../contract/schedule.ts'
import { formatExpiry } from '../identity/expiry.ts'
import type { LinkOptions } from '../link/context.ts'
import type { PeerDial } from '../link/dial-peer.ts'
import type { Links } from '../link/links.ts'
import { callPeer, isTexts, metadataOf, peerRefusal } from '../link/peer.ts'
import { addressesOf, type LinkRow, pinOf } from '../link/rows.ts'
import { stillPending } from '../link/source.ts'
import { isPinned } from '../transport/pinned.ts'
import { download } from '../transport/pinned-download.ts'
import { pinnedHttp } from '../transport/pinned-fetch.ts'
import { verifyBackup } from './file.ts'
import { BackupFolder, type StoredBackup } from './folder.ts'

export interface PullerOptions {
  context: Pick<LinkOptions, 'identity' | 'clock' | 'log'>
  links: Links
  /** The state directory. */
  directory: string
  /** A pull that was due failed, and why; null once it went well. */
  onTried: (link: LinkRow, problem: string | null) => void
}

const scheduleKey = 'linkspan.backup.schedule'
const keepKey = 'linkspan.backup.keep'
/** For one backup: made there, brought here. */
const pullTimeoutMs = 10 * 60_000
const operationTimeoutSeconds = 300
/** What the other side still has when we could not delete it there. */
const leftoverMs = 3_600_000
const instancesMax = 100
/** After a pull that failed; then it is due again. */
const retryMs = 5 * 60_000

/** Backups of other clusters, brought here over links: by hand, or when a link's schedule says so. */
export class BackupPuller implements AsyncDisposable {
  readonly #options: PullerOptions
  readonly #stopping = new AbortController()
  readonly #pulling = new Map<LinkId, Promise<StoredBackup[]>>()
  readonly #unsubscribe: () => void
  #looking: Promise<void> | undefined
  readonly #failedMs = new Map<LinkId, number>()

  constructor(options: PullerOptions) {
    this.#options = options
    // Not within the commit that tells of it.
    this.#unsubscribe = options.links.onChange(() => setImmediate(() => void this.#lookSoon()))
  }

  /** What was pulled over a link, by name, which is by instance and then by time. */
  folder(link: LinkRow): BackupFolder {
    return new BackupFolder(join(this.#options.directory, 'backups', link.id))
  }

  /**
   * Has every instance that the link may back up over there backed up, and brings that here. Throws the errors of the
   * dial, what the other side refuses with, `corrupt` and `wrong-fingerprint` for a file that is not what it must be.
   */
  pull(link: LinkRow): Promise<StoredBackup[]> {
    const going = this.#pulling.get(link.id)
    if (going !== undefined) return going
    const pulling = this.#pull(link).finally(() => this.#pulling.delete(link.id))
    this.#pulling.set(link.id, pulling)
    return pulling
  }

  /** Pulls what is due. To be called every minute or so; changes of a link are noticed at once. */
  pullDue(): Promise<void> {
    this.#looking ??= this.#pullDue().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #lookSoon(): Promise<void> {
    await this.pullDue().catch((error: unknown) =>
      this.#log.error({ err: error }, 'What is due could not be found out'),
    )
  }

  async #pullDue(): Promise<void> {
    for (const link of this.#options.links.list()) {
      if (this.#stopping.signal.aborted) return
      if (!(await this.#isDue(link))) continue
      try {
        await this.pull(link)
        this.#failedMs.delete(link.id)
        this.#options.onTried(link, null)
      } catch (error) {
        if (this.#stopping.signal.aborted) return
        this.#failedMs.set(link.id, this.#clock.monotonicMs())
        this.#options.onTried(link, explainError(error))
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unsubscribe()
    this.#stopping.abort(new LinkspanError('closed', 'The daemon is stopping'))
    await Promise.allSettled([...this.#pulling.values(), this.#looking])
  }

  get #clock(): Clock {
    return this.#options.context.clock
  }

  get #log(): Log {
    return this.#options.context.log
  }

  async #isDue(link: LinkRow): Promise<boolean> {
    if (link.state !== 'active' || !link.peer || link.type === 'public') return false
    const schedule = this.#options.links.config(link).get(scheduleKey)
    const everyMs = schedule === null ? undefined : intervalMs(schedule)
    if (everyMs === undefined) return false
    const failedMs = this.#failedMs.get(link.id)
    if (failedMs !== undefined && this.#clock.monotonicMs() - failedMs < Math.min(retryMs, everyMs)) return false
    // The files are what is remembered: a restart neither forgets a pull that is due nor repeats one.
    const facts = (await this.folder(link).list()).map((backup) => backup.facts)
    const newest = facts.sort((one, other) => (one.created_at < other.created_at ? 1 : -1))[0]
    // One of before the other side's certificate was rotated is of no use to its links.
    if (!newest || !isPinned(pinOf(link.peer), newest.fingerprint)) return true
    return this.#clock.wallMs() - Date.parse(newest.created_at) >= everyMs
  }

  async #pull(link: LinkRow): Promise<StoredBackup[]> {
    if (link.state !== 'active' || !link.peer || link.reach !== 'peer') throw stillPending(link)
    const deadline = AbortSignal.timeout(pullTimeoutMs)
    const call: PeerDial = {
      addresses: addressesOf(link),
      fingerprint: pinOf(link.peer),
      as: this.#options.context.identity.cluster,
      signal: AbortSignal.any([this.#stopping.signal, deadline]),
    }
    const pulled: StoredBackup[] = []
    for (const url of await instancesAt(call, link)) pulled.push(await this.#pullInstance(link, call, url))
    await this.#dropOld(link)
    return pulled
  }

  async #pullInstance(link: LinkRow, call: PeerDial, instanceUrl: string): Promise<StoredBackup> {
    const nowMs = this.#clock.wallMs()
    const there = `pull-${crypto.randomUUID().slice(0, 8)}`
    const body = { name: there, expires_at: formatExpiry(nowMs + leftoverMs) }
    const operation = (await ask(call, 'POST', `${instanceUrl}/backups`, body)) as { id?: unknown }
    const wait = `/1.0/operations/${String(operation.id)}/wait?timeout=${operationTimeoutSeconds}`
    const ended = (await ask(call, 'GET', wait)) as { status?: unknown; err?: unknown }
    if (ended.status !== 'Success') {
      const reason =
        typeof ended.err === 'string' && ended.err !== '' ? ended.err.slice(0, 500) : 'it did not end in time'
      throw new LinkspanError('state-conflict', `The other cluster could not back itself up: ${reason}`)
    }
    const url = `${instanceUrl}/backups/${there}`
    const stored = await this.#receive(link, call, { url, name: nameOf(instanceUrl, nowMs) })
    await ask(call, 'DELETE', url).catch((error: unknown) => {
      this.#log.warn(
        { link: link.name, reason: explainError(error) },
        'A backup that was pulled stays there for an hour',
      )
    })
    this.#log.info({ link: link.name, backup: stored.name, bytes: stored.sizeBytes }, 'A backup was pulled')
    return stored
  }

  #receive(link: LinkRow, call: PeerDial, { url, name }: { url: string; name: string }): Promise<StoredBackup> {
    const { addresses: address, fingerprint, as, signal } = call
    const arrive = async (take: (chunk: Uint8Array) => Promise<void>) => {
      const pair = as ? { certificate: as.certificatePem, key: as.privateKeyPem } : {}
      await using connections = pinnedHttp({ address, fingerprint, ...pair })
      const answer = await download(connections, `${url}/export`, take, signal)
      if (answer.status !== 200) throw peerRefusal(answer, address[0] ?? '')
    }
    return this.folder(link).receive(name, arrive, (bytes) => {
      const { facts } = verifyBackup(bytes)
      if (isPinned(fingerprint, facts.fingerprint)) return
      const problem = `The backup that came over cluster link ${JSON.stringify(link.name)} is signed by another cluster`
      throw new LinkspanError('wrong-fingerprint', `${problem}: it was not kept, look what happens over there`)
    })
  }

  /** As many as the link says are kept of each instance, the newest. */
  async #dropOld(link: LinkRow): Promise<void> {
    const keep = this.#options.links.config(link).number(keepKey)
    const folder = this.folder(link)
    const newestFirst = (await folder.list()).sort((one, other) =>
      one.facts.created_at < other.facts.created_at ? 1 : -1,
    )
    const counts = new Map<string, number>()
    for (const { name, facts } of newestFirst) {
      const count = (counts.get(facts.instance) ?? 0) + 1
      counts.set(facts.instance, count)
      if (count > keep) await folder.delete(name)
    }
  }
}

/** URLs of what may be backed up. Throws `not-permitted` when that is nothing. */
async function instancesAt(call: PeerDial, link: LinkRow): Promise<string[]> {
  const urls = await ask(call, 'GET', '/1.0/instances')
  const named = isTexts(urls) ? urls.filter((url) => /^\/1\.0\/instances\/[^/?#]+$/.test(url)) : []
  if (named.length > 0) return named.slice(0, instancesMax)
  const problem = `The other side of cluster link ${JSON.stringify(link.name)} lets this cluster back nothing up`
  const wayOut = 'add "instance can_manage_backups" to a group of the link over there'
  throw new LinkspanError('not-permitted', `${problem}: ${wayOut}`)
}

async function ask(call: PeerDial, method: string, path: string, body?: object): Promise<unknown> {
  const { answer, address } = await callPeer(call, { method, path, ...(body ? { body } : {}) })
  if (answer.status >= 300) throw peerRefusal(answer, address)
  return metadataOf(answer)
}

/** Sorts by time. What the other side calls its hosts cannot say where we write. */
function nameOf(instanceUrl: string, nowMs: number): string {
  const instance = decodeURIComponent(instanceUrl.split('/').at(-1)!)
  const plain = instance
    .replace(/[^A-Za-z0-9._-]/g, '_')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 60)
  return `${plain || 'instance'}-${new Date(nowMs).toISOString().replace(/[-:.]/g, '')}`
}
