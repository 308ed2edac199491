import type { LinkId } from '../base/ids.ts'
import type { ClusterLinkState } from '../contract/v1.ts'
import type { TrustToken } from '../identity/trust-token.ts'
import { changesOf } from '../store/rows.ts'
import type { ClusterSpec } from '../transport/spec.ts'
import { type Activation, Activator } from './activate.ts'
import { Announcer } from './announce.ts'
import { endAnnouncements } from './announced.ts'
import { askPeer, type PeerRequest } from './ask-peer.ts'
import {
  alterConfig,
  type ConfigChange,
  type DeletedLink,
  deleteLink,
  type LinkUpdate,
  renameLink,
  setRemoteKafkaClusterId,
  updateLink,
} from './change.ts'
import { type LinkConfig, openConfig, shownConfig } from './config.ts'
import { type ConsumeRequest, consumeToken } from './consume.ts'
import type { LinkContext, LinkOptions } from './context.ts'
import { registerAccessHooks } from './hooks.ts'
import { createKafkaLink, type KafkaLinkRequest } from './kafka-link.ts'
import { type LinkRequest, type MintedIdentity, type MintedLink, mintIdentity, mintLink } from './mint.ts'
import { requireLink } from './names.ts'
import { probeLink } from './probe.ts'
import {
  confirmPublicLink,
  type FoundPublicLink,
  findPublicLink,
  type PublicLinkConfirmation,
  type PublicLinkRequest,
} from './public.ts'
import { recoverLinks } from './recover.ts'
import { refreshAddresses } from './refresh.ts'
import { findLink, type LinkRow, linkTable, listLinks } from './rows.ts'
import { Sightings } from './sightings.ts'
import { sourceOf } from './source.ts'
import { followSuccession } from './succession.ts'
import { type OutstandingToken, outstandingTokens, type ReissuedToken, reissueToken } from './tokens.ts'
import { forgetWarnings, warnOfState } from './warnings.ts'

export interface LinkChange {
  id: LinkId
  before: LinkRow | undefined
  after: LinkRow | undefined
}

/** Changes of addresses that nobody asked for are tried one link after another, so that they cost little. */
const refreshTimeoutMs = 10_000
/** Dead peers take their time, and there may be many. */
const lookedAtOnceMax = 16

/**
 * Cluster links: their creation on both sides, their config, and whether the other side is there. Construct it once,
 * before the API: it registers what follows from identities. Events and rights are the API's business.
 */
export class Links implements AsyncDisposable {
  /** What stands in the way of deleting a link, as URLs: live mirrors. */
  readonly usedBy: ((link: LinkRow) => string[])[] = []
  /** Run, one after another, before a link that is in use is deleted by force. */
  readonly beforeForcedDelete: ((link: LinkRow) => Promise<void>)[] = []
  readonly #context: LinkContext
  readonly #activator: Activator
  readonly #announcer: Announcer
  readonly #listeners = new Set<(change: LinkChange) => void>()
  readonly #unsubscribe: () => void
  readonly #stopping = new AbortController()
  readonly #background = new Set<Promise<void>>()

  constructor(options: LinkOptions) {
    const context: LinkContext = { ...options, sightings: new Sightings(options.clock) }
    this.#context = context
    this.#activator = new Activator(context)
    this.#announcer = new Announcer(context)
    registerAccessHooks(context.access.hooks)
    this.#unsubscribe = context.store.onCommitted((changes) => {
      for (const { key, before, after } of changesOf(linkTable, changes)) {
        if (!after) this.#forget(key)
        if (before && before.name !== after?.name) this.#inBackground(() => forgetWarnings(context, before))
        for (const listener of this.#listeners) listener({ id: key, before, after })
      }
    })
  }

  /** Sorted by name. */
  list(): LinkRow[] {
    return listLinks(this.#context.store.rows)
  }

  get(name: string): LinkRow | undefined {
    return findLink(this.#context.store.rows, name)
  }

  byId(id: LinkId): LinkRow | undefined {
    return this.#context.store.rows.get(linkTable, id)
  }

  /** Throws `not-found`. */
  require(name: string): LinkRow {
    return requireLink(this.#context.store.rows, name)
  }

  /** URLs of what uses the link. */
  usesOf(link: LinkRow): string[] {
    return this.usedBy.flatMap((uses) => uses(link))
  }

  /** A pending link with its pending identity, and the token that the other side's operator is to be given. */
  mintToken(request: LinkRequest): Promise<MintedLink> {
    return mintLink(this.#context, request)
  }

  /** A token for the target of a one-way link: an identity alone. */
  mintIdentityToken(request: LinkRequest): Promise<MintedIdentity> {
    return mintIdentity(this.#context, request)
  }

  /** Another token for a pending identity, of a link or of a client; the one before is void. */
  reissueToken(nameOrId: string, addresses: readonly string[] = []): Promise<ReissuedToken> {
    return reissueToken(this.#context, nameOrId, addresses)
  }

  /** Tokens that wait to be used, without their secrets. */
  outstandingTokens(): OutstandingToken[] {
    return outstandingTokens(this.#context.store.rows, this.#context.clock.wallMs())
  }

  /**
   * Uses the other side's token: trust in both directions in one round trip, or in one direction only. Whatever fails
   * leaves nothing behind on either side. Throws `token-undecodable`, `token-type`, `own-token`, `already-exists`,
   * `wrong-fingerprint`, `unreachable`, and what the other side answered.
   */
  async consumeToken(request: ConsumeRequest): Promise<LinkRow> {
    const link = await consumeToken(this.#context, request)
    this.#inBackground((signal) => this.#refresh(link.id, signal))
    return link
  }

  /** The other side's half of that; whoever holds the token may ask for it. */
  async activate(activation: Activation): Promise<LinkRow> {
    const link = await this.#activator.activate(activation)
    this.#inBackground((signal) => this.#refresh(link.id, signal))
    return link
  }

  /** The first of two steps to a public link: what its address presents waits to be confirmed. */
  findPublicLink(request: PublicLinkRequest): Promise<FoundPublicLink> {
    return findPublicLink(this.#context, request)
  }

  /** The second: a person has seen the fingerprint. */
  confirmPublicLink(confirmation: PublicLinkConfirmation): Promise<LinkRow> {
    return confirmPublicLink(this.#context, confirmation)
  }

  /** Straight to Kafka's bootstrap servers, without a peer. */
  createKafkaLink(request: KafkaLinkRequest): Promise<LinkRow> {
    return createKafkaLink(this.#context, request)
  }

  update(update: LinkUpdate): Promise<LinkRow> {
    return updateLink(this.#context, update)
  }

  /** Confluent's dialect: keys one by one; null brings a key's default back. */
  alterConfig(
    name: string,
    changes: readonly ConfigChange[],
    options: { validateOnly?: boolean } = {},
  ): Promise<LinkRow> {
    return alterConfig(this.#context, name, changes, options)
  }

  rename(name: string, newName: string): Promise<LinkRow> {
    return renameLink(this.#context, name, newName)
  }

  /** With its identity. Throws `in-use` unless `force`, which runs `beforeForcedDelete` first. */
  async delete(name: string, options: { force?: boolean } = {}): Promise<DeletedLink> {
    const link = this.require(name)
    if (options.force && this.usesOf(link).length > 0) {
      for (const prepare of this.beforeForcedDelete) await prepare(link)
    }
    return deleteLink(this.#context, link.id, options.force ? () => [] : (one) => this.usesOf(one))
  }

  /** Resolved values, unsealed. */
  config(link: LinkRow): LinkConfig {
    return openConfig(this.#context.sealer, link)
  }

  /** The map as people see it: sensitive values are `(hidden)`. */
  shownConfig(link: LinkRow): Record<string, string> {
    return shownConfig(link.config)
  }

  /** How to reach the Kafka at the other end. Throws `state-conflict` while the link is pending, `invalid-config`. */
  source(link: LinkRow): Promise<ClusterSpec> {
    return sourceOf(this.#context, link)
  }

  /** Asks every address of the other side now. */
  state(name: string, signal?: AbortSignal): Promise<ClusterLinkState> {
    return this.#look(this.require(name), signal)
  }

  /**
   * One request of `/1.0` to the daemon at the other end, as this cluster. Throws the errors of the dial, what the
   * other side refuses with, and `state-conflict` for a link without a peer.
   */
  askPeer(link: LinkRow, request: PeerRequest): Promise<void> {
    return askPeer(this.#context, link, { request, signal: this.#stopping.signal })
  }

  /** Pins it. Throws `source-changed` when another one is pinned already. */
  setRemoteKafkaClusterId(id: LinkId, remoteKafkaClusterId: string): Promise<LinkRow> {
    return setRemoteKafkaClusterId(this.#context, id, remoteKafkaClusterId)
  }

  /** Called for every committed change of a link, before the command that did it resolves. */
  onChange(listener: (change: LinkChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Ends what a crash left half done: finds out whether the other side took a token; and says where we are now. To be
   * called once at start.
   */
  recover(): void {
    this.#inBackground((signal) => recoverLinks(this.#context, signal))
    this.#inBackground(() => this.announceAddresses())
    this.#inBackground(() => this.lookAround())
  }

  /** Tells peers that this cluster's addresses have changed, if they have. To be called every few seconds. */
  announceAddresses(): Promise<void> {
    return this.#announcer.announce(this.#stopping.signal)
  }

  /** A peer, known by its identity, says where it is from now on. Throws `invalid-request`, `unreachable`. */
  hearAddresses(identityId: string, addresses: readonly string[], signal: AbortSignal): Promise<LinkRow> {
    return this.#announcer.hear(identityId, addresses, signal)
  }

  /** Sees which peers are there, so that it is known since when one is not. To be called every few minutes. */
  async lookAround(): Promise<void> {
    const { signal } = this.#stopping
    const links = this.list().filter(({ state, reach }) => state === 'active' && reach === 'peer')
    for (let first = 0; first < links.length && !signal.aborted; first += lookedAtOnceMax) {
      const some = links.slice(first, first + lookedAtOnceMax)
      await Promise.all(some.map((link) => this.#lookAndLearn(link, signal)))
    }
  }

  /** Learns the newest addresses of every peer. To be called now and then; failures keep the old ones. */
  async refreshAddresses(): Promise<void> {
    for (const { id } of this.list()) await this.#refresh(id, this.#stopping.signal)
  }

  /** Ends the time in which two certificates of one cluster are accepted. To be called now and then. */
  endAnnouncements(): Promise<void> {
    return endAnnouncements(this.#context, this.#stopping.signal)
  }

  /** This cluster's own certificate is another one: whatever hangs on a link is to open it anew. */
  reopen(): void {
    for (const link of this.list()) {
      for (const listener of this.#listeners) listener({ id: link.id, before: link, after: link })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    this.#unsubscribe()
    this.#listeners.clear()
    await Promise.all(this.#background)
  }

  async #lookAndLearn(link: LinkRow, signal: AbortSignal): Promise<void> {
    const { cluster_link_members: members } = await this.#look(link, signal)
    const active = members.filter(({ status }) => status === 'Active').length
    const isFollowed = active === 0 && (await followSuccession(this.#context, link, signal))
    if (isFollowed) return
    // Some of its addresses are gone: it may have new ones, and a one-way peer cannot tell.
    if (active > 0 && active < members.length) await this.#refresh(link.id, signal)
  }

  async #look(link: LinkRow, signal?: AbortSignal): Promise<ClusterLinkState> {
    const state = await probeLink(this.#context, link, signal)
    // A look that was broken off shows nothing; deleted or renamed meanwhile, a link is warned of no more.
    const counts = !signal?.aborted && this.byId(link.id)?.name === link.name
    if (counts) await warnOfState(this.#context, link, state.cluster_link_members)
    return state
  }

  #forget(id: LinkId): void {
    this.#context.sightings.forget(id)
    this.#announcer.forget(id)
  }

  #refresh(id: LinkId, signal: AbortSignal): Promise<void> {
    return refreshAddresses(this.#context, id, AbortSignal.any([signal, AbortSignal.timeout(refreshTimeoutMs)]))
  }

  #inBackground(work: (signal: AbortSignal) => Promise<void>): void {
    const running = work(this.#stopping.signal)
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) this.#context.log.warn({ err: error }, 'Work on a cluster link failed')
      })
      .finally(() => this.#background.delete(running))
    this.#background.add(running)
  }
}

export type {
  Activation,
  ConfigChange,
  ConsumeRequest,
  DeletedLink,
  KafkaLinkRequest,
  LinkRequest,
  LinkUpdate,
  MintedIdentity,
  MintedLink,
  TrustToken,
}
