import { Backoff } from '../base/backoff.ts'
import { sleep } from '../base/clock.ts'
import { explainError, isLinkspanError, LinkspanError } from '../base/errors.ts'
import type { Fingerprint, LinkId } from '../base/ids.ts'
import { type CertificatePems, fingerprintOf, pairProblem, parseCertificate } from '../identity/certificate.ts'
import { findKeyPair, type KeyPair, type OwnIdentity, removeKeyPair, storeKeyPair } from '../identity/keys.ts'
import type { RowChange } from '../store/row-log.ts'
import type { LinkOptions } from './context.ts'
import { dropRotation, findRotation, putRotation, type RotationRow, type UntoldPeer } from './rotation-rows.ts'
import { announceCertificate, replaceCertificate, type Telling } from './rotation-tell.ts'
import { type LinkRow, linkTable, listLinks } from './rows.ts'
import { followSuccession } from './succession.ts'
import { addSuccession, signSuccession } from './succession-rows.ts'

export interface RotationOptions {
  context: LinkOptions
  /** The context's own, which is changed here. */
  identity: OwnIdentity
  /** The state directory. */
  directory: string
  /** A new key and certificate for this cluster. */
  makePair: () => Promise<CertificatePems>
  /** Resolves once new connections to the port get this certificate. */
  serve: (pair: KeyPair) => Promise<void>
  /** How often this cluster was restored from a backup, from 1. */
  generation: () => number
  /** Whatever is open to other clusters is to be opened again, with the new certificate. */
  onSwitched: () => void
  /** A cluster could not be told, and why; null once it was. */
  onUntold: (link: LinkRow, problem: string | null) => void
}

/** What a rotation came to, by the names of links. */
export interface RotationReport {
  fingerprint: Fingerprint
  previous: Fingerprint
  told: string[]
  untold: { link: string; problem: string }[]
}

/** Connections to other clusters at the same time. */
const tellingMax = 64
const tellMs = 10_000
/** As long as other clusters accept two certificates: by then each was told, or has to be linked again. */
const retiredMs = 7 * 86_400_000
const nextName = 'cluster-next'
const retryMs = { initialMs: 1000, maxMs: 60_000 }

/**
 * Changes this cluster's certificate so that links survive it:
 *
 *     begin: key and certificate beside the old ones ─▶ announced to linked clusters, which then accept both
 *       ─▶ switch: port and links use the new one ─▶ linked clusters replace the old one, and cut what it had open
 *
 * Each step is durable before the next begins, so that after a crash `resume` goes on. A cluster that cannot be told is
 * tried until it answers, for seven days; the old key is kept for that alone.
 */
export class CertificateRotation implements AsyncDisposable {
  readonly #options: RotationOptions
  readonly #stopping = new AbortController()
  readonly #background = new Set<Promise<void>>()
  #last: Promise<unknown> = Promise.resolve()
  #beginning = false
  #retelling = false

  constructor(options: RotationOptions) {
    this.#options = options
  }

  /** Undefined when every linked cluster knows the certificate that is served. */
  get pending(): RotationRow | undefined {
    return findRotation(this.#options.context.store.rows)
  }

  /**
   * Takes the first step: from then on the rotation will come to its end. Without `given` a new pair is made. Throws
   * `state-conflict` while another one has not switched yet, and `invalid-request` for a pair that cannot be used.
   */
  async begin(given?: CertificatePems): Promise<Fingerprint> {
    const { directory, identity, context, makePair } = this.#options
    if (this.#beginning || this.pending?.switched === false) throw underWay()
    this.#beginning = true
    try {
      if (given) checkGiven(given, this.#options)
      const previous = identity.clusterFingerprint
      const next = await storeKeyPair(directory, nextName, given ?? (await makePair()))
      await context.access.execute('begin certificate rotation', (rows) => {
        const before = findRotation(rows)
        const peers = knowingPeers(listLinks(rows), before?.peers ?? {}, previous)
        const retired = before?.retired ?? []
        const startedMs = context.clock.wallMs()
        const row = { previous, next: next.fingerprint, switched: false, startedMs, peers, retired }
        return { changes: [putRotation(row)], result: undefined }
      })
      return next.fingerprint
    } finally {
      this.#beginning = false
    }
  }

  /** Does the rest; goes on in the background for clusters that could not be told. */
  carryOut(signal: AbortSignal = this.#stopping.signal): Promise<RotationReport> {
    return this.#inTurn(() => this.#carryOut(signal))
  }

  async #carryOut(signal: AbortSignal): Promise<RotationReport> {
    const row = this.pending
    if (!row) throw new LinkspanError('internal', 'No rotation of the certificate was begun')
    const stop = AbortSignal.any([signal, this.#stopping.signal])
    if (!row.switched) {
      await this.#announceAll(stop)
      stop.throwIfAborted()
      await this.#switch()
    }
    const told = Object.keys(this.pending?.peers ?? {})
    await this.#tellAll(stop)
    const left = this.pending?.peers ?? {}
    this.#tellRest()
    const { rows } = this.#options.context.store
    const nameOf = (id: LinkId) => rows.get(linkTable, id)?.name ?? id
    return {
      fingerprint: row.next,
      previous: row.previous,
      told: told.filter((id) => !(id in left)).map(nameOf),
      untold: Object.entries(left).map(([id, { problem }]) => ({
        link: nameOf(id),
        problem: problem ?? 'not told yet',
      })),
    }
  }

  /** Goes on where the daemon was stopped or killed. To be called once at start, when the port is open. */
  async resume(): Promise<void> {
    const { directory, identity, context } = this.#options
    const row = this.pending
    if (!row) return await removeKeyPair(nextName, directory)
    if (!row.switched && row.next !== identity.clusterFingerprint) {
      const next = await findKeyPair(nextName, directory)
      if (next?.fingerprint !== row.next) {
        context.log.error({ fingerprint: row.next }, 'The next certificate is lost: its rotation is given up')
        return await this.#execute('give up certificate rotation', () => dropRotation())
      }
    }
    this.#inBackground(async () => {
      const { fingerprint, untold } = await this.carryOut()
      context.log.info({ fingerprint, untold }, 'A rotation of the certificate that was interrupted went on')
    })
  }

  /**
   * The first start of a restored host: whoever has its old certificate is not this host any more. To be called instead
   * of `resume`; `begun` is called once a crash cannot make it begin again.
   */
  async takeOver(begun: () => Promise<void>): Promise<RotationReport> {
    if (this.pending?.switched !== false) await this.begin()
    await begun()
    return await this.carryOut()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new LinkspanError('closed', 'The daemon is stopping'))
    await Promise.all(this.#background)
  }

  async #announceAll(signal: AbortSignal): Promise<void> {
    const next = await this.#pair(this.pending!.next)
    await this.#each(signal, async (peer, telling) => {
      await announceCertificate({ ...telling, next })
      return { knows: peer.knows }
    })
  }

  /** From the first file on it is done, whatever crashes: the row is only told of it. */
  async #switch(): Promise<void> {
    const { directory, identity, context, generation, serve, onSwitched } = this.#options
    const { next: fingerprint, previous } = this.pending!
    if (identity.clusterFingerprint !== fingerprint) {
      const next = await this.#pair(fingerprint)
      await storeKeyPair(directory, retiredName(previous), identity.cluster)
      identity.cluster = await storeKeyPair(directory, 'cluster', next)
    }
    await serve(identity.cluster)
    const nowMs = context.clock.wallMs()
    const untilMs = nowMs + retiredMs
    const said = signSuccession(await this.#pair(previous), identity.cluster, { generation: generation(), nowMs })
    await context.access.execute('switch certificate', (rows) => {
      const row = findRotation(rows)!
      // Links that were made since the beginning know the certificate that was served then.
      const peers = knowingPeers(listLinks(rows), row.peers, previous)
      const retired = [...row.retired, { fingerprint: previous, untilMs }]
      const changes = [putRotation({ ...row, switched: true, peers, retired }), ...addSuccession(rows, said)]
      return { changes, result: undefined }
    })
    await removeKeyPair(nextName, directory)
    context.log.info({ fingerprint, previous }, 'The port and the links of this cluster use its new certificate')
    onSwitched()
  }

  async #tellAll(signal: AbortSignal): Promise<void> {
    const { identity } = this.#options
    await this.#each(signal, async (_, telling) => {
      await replaceCertificate({ ...telling, next: identity.cluster })
      return undefined
    })
    await this.#forgetRetired()
  }

  /** Tries those that are left until none is. */
  #tellRest(): void {
    if (this.#retelling || !this.pending) return
    this.#retelling = true
    this.#inBackground(async (signal) => {
      try {
        const backoff = new Backoff(retryMs)
        while (this.pending?.switched) {
          await sleep(backoff.nextMs(), signal)
          await this.#inTurn(async () => {
            if (this.pending?.switched) await this.#tellAll(signal)
          })
        }
      } finally {
        this.#retelling = false
      }
    })
  }

  /** Of what was told of one certificate nothing may be noted once another one is being told of. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    this.#last = turn.catch(() => {})
    return turn
  }

  #inBackground(work: (signal: AbortSignal) => Promise<void>): void {
    const { signal } = this.#stopping
    const running = work(signal)
      .catch((error: unknown) => {
        if (signal.aborted) return
        this.#options.context.log.error({ err: error }, 'The rotation of the certificate came to a halt')
      })
      .finally(() => this.#background.delete(running))
    this.#background.add(running)
  }

  /** Asks all that are left, and writes down what came of it; nothing means that one knows the new certificate. */
  async #each(signal: AbortSignal, tell: Tell): Promise<void> {
    const outcomes: Record<LinkId, UntoldPeer | undefined> = {}
    const queue = Object.entries(this.pending?.peers ?? {})
    const ask = async () => {
      for (let entry = queue.shift(); entry; entry = queue.shift()) {
        outcomes[entry[0]] = await this.#ask(...entry, signal, tell)
      }
    }
    await Promise.all(Array.from({ length: Math.min(tellingMax, queue.length) }, ask))
    await this.#execute('linked clusters told of certificate', (row) => {
      const peers = Object.entries({ ...row.peers, ...outcomes }).filter(([, peer]) => peer !== undefined)
      return putRotation({ ...row, peers: Object.fromEntries(peers) as RotationRow['peers'] })
    })
  }

  async #ask(id: LinkId, peer: UntoldPeer, signal: AbortSignal, tell: Tell): Promise<UntoldPeer | undefined> {
    const { generation, onUntold, context } = this.#options
    const link = context.store.rows.get(linkTable, id)
    if (!link?.peer) return undefined
    try {
      const known = await this.#pair(peer.knows)
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(tellMs)])
      const told = await this.#tell(peer, { link, known, generation: generation(), signal: deadline }, tell)
      onUntold(link, null)
      return told
    } catch (error) {
      if (signal.aborted) return peer
      const isLate = (error as Error).name === 'TimeoutError'
      const problem = isLate ? `it did not answer within ${tellMs / 1000} s` : explainError(error)
      if (!isLate && !isLinkspanError(error)) context.log.error({ err: error }, 'Telling a linked cluster failed')
      onUntold(link, problem)
      return { ...peer, problem }
    }
  }

  /** A cluster that changed its own certificate meanwhile is told once we know that. */
  async #tell(peer: UntoldPeer, telling: Omit<Telling, 'next'>, tell: Tell): Promise<UntoldPeer | undefined> {
    try {
      return await tell(peer, telling)
    } catch (error) {
      const { context } = this.#options
      const isOther = isLinkspanError(error, 'wrong-fingerprint')
      if (!isOther || !(await followSuccession(context, telling.link, telling.signal))) throw error
      const link = context.store.rows.get(linkTable, telling.link.id)
      return link ? await tell(peer, { ...telling, link }) : undefined
    }
  }

  /** Keys that nobody needs any more go; so do clusters that could not be told in time. */
  async #forgetRetired(): Promise<void> {
    const { directory, context } = this.#options
    const row = this.pending
    if (!row) return
    const nowMs = context.clock.wallMs()
    const known = new Set(Object.values(row.peers).map(({ knows }) => knows))
    const gone = row.retired
      .filter(({ fingerprint, untilMs }) => !known.has(fingerprint) || nowMs >= untilMs)
      .map(({ fingerprint }) => fingerprint)
    if (gone.length === 0) return
    for (const fingerprint of gone) await removeKeyPair(retiredName(fingerprint), directory)
    await this.#execute('forget old certificates', (before) => {
      const peers = Object.entries(before.peers).filter(([, { knows }]) => !gone.includes(knows))
      const retired = before.retired.filter(({ fingerprint }) => !gone.includes(fingerprint))
      return putRotation({ ...before, peers: Object.fromEntries(peers), retired })
    })
  }

  /** The pair of a certificate that is served, that is to be, or that was. */
  async #pair(fingerprint: Fingerprint): Promise<KeyPair> {
    const { directory, identity } = this.#options
    if (identity.clusterFingerprint === fingerprint) return identity.cluster
    for (const name of [retiredName(fingerprint), nextName]) {
      const pair = await findKeyPair(name, directory)
      if (pair?.fingerprint === fingerprint) return pair
    }
    const problem = `The key of the certificate ${fingerprint.slice(0, 12)} is gone`
    throw new LinkspanError('not-found', `${problem}: link the cluster that knows us by it again`)
  }

  #execute(name: string, change: (row: RotationRow) => RowChange): Promise<void> {
    return this.#options.context.access.execute(name, (rows) => {
      const row = findRotation(rows)
      return { changes: row ? [change(row)] : [], result: undefined }
    })
  }
}

type Tell = (peer: UntoldPeer, telling: Omit<Telling, 'next'>) => Promise<UntoldPeer | undefined>

/** Those that have yet to be told of a new certificate: who knows an older one still knows that. */
function knowingPeers(
  links: readonly LinkRow[],
  known: Readonly<Record<LinkId, UntoldPeer>>,
  current: Fingerprint,
): Record<LinkId, UntoldPeer> {
  const told = links.filter(({ state, reach, type }) => state === 'active' && reach === 'peer' && type !== 'public')
  return Object.fromEntries(told.map(({ id }) => [id, known[id] ?? { knows: current }]))
}

function retiredName(fingerprint: Fingerprint): string {
  return `cluster-${fingerprint.slice(0, 16)}`
}

/** Throws `invalid-request`. */
function checkGiven(given: CertificatePems, { context, identity }: RotationOptions): void {
  const certificate = parseCertificate(given.certificatePem, context.clock)
  const problem = pairProblem(given)
  if (problem) throw new LinkspanError('invalid-request', `Certificate and key cannot be used, ${problem}`)
  if (fingerprintOf(certificate) !== identity.clusterFingerprint) return
  throw new LinkspanError('invalid-request', 'This is the certificate that the cluster has already: give another one')
}

function underWay(): LinkspanError {
  const sentence = 'The certificate is being rotated already: wait until that is done ("operation list" shows it)'
  return new LinkspanError('state-conflict', sentence)
}
