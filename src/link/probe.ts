import { explainError, isLinkspanError } from '../base/errors.ts'
import type { ClusterLinkState, ClusterLinkStatus } from '../contract/v1.ts'
import { openCluster } from '../kafka/open-cluster.ts'
import { formatAddress } from '../transport/address.ts'
import { type HttpCall, socketHttp } from '../transport/pinned-fetch.ts'
import type { DirectSpec } from '../transport/spec.ts'
import type { LinkContext } from './context.ts'
import { dialPeer } from './dial-peer.ts'
import { type PeerServer, readServer } from './peer.ts'
import { addressesOf, type LinkRow, pinOf } from './rows.ts'
import { sourceOf, stillPending } from './source.ts'
import { supersededText } from './superseded.ts'

type Member = ClusterLinkState['cluster_link_members'][number]
type Finding = Omit<Member, 'address' | 'last_seen_at'>

/** A peer that drops packets must not keep whoever asks waiting. */
const probeTimeoutMs = 4000

/** Asks all addresses at the same time. Throws `state-conflict` for a link that is pending. */
export async function probeLink(context: LinkContext, link: LinkRow, signal?: AbortSignal): Promise<ClusterLinkState> {
  const timeout = AbortSignal.timeout(probeTimeoutMs)
  const both = signal ? AbortSignal.any([signal, timeout]) : timeout
  const probes = link.reach === 'kafka' ? await kafkaProbes(context, link, both) : peerProbes(context, link, both)
  const members = probes.map(async ({ address, finding }) => seen(context, link, address, await finding))
  return { cluster_link_members: await Promise.all(members) }
}

interface Probe {
  address: string
  finding: Promise<Finding>
}

/** Whoever answers as the peer was seen, whether or not it trusts us. */
function seen(context: LinkContext, link: LinkRow, address: string, finding: Finding): Member {
  const { sightings } = context
  if (finding.status !== 'Unreachable') sightings.saw(link.id, address)
  const lastMs = sightings.lastMs(link.id, address)
  const last = lastMs === undefined ? {} : { last_seen_at: new Date(lastMs).toISOString() }
  const { server_name, status, ...more } = finding
  return { server_name, address, status, ...more, ...last }
}

function peerProbes(context: LinkContext, link: LinkRow, signal: AbortSignal): Probe[] {
  if (link.state !== 'active' || !link.peer) throw stillPending(link)
  return addressesOf(link).map((address) => ({ address, finding: probePeer(context, link, address, signal) }))
}

async function probePeer(context: LinkContext, link: LinkRow, address: string, signal: AbortSignal): Promise<Finding> {
  const fingerprint = pinOf(link.peer!)
  const as = link.type === 'public' ? {} : { as: context.identity.cluster }
  try {
    const { socket } = await dialPeer({ addresses: [address], fingerprint, signal, ...as })
    await using http = socketHttp(socket, address)
    const server = await readServer(http, address, signal)
    const roundTrip = await measure(context, http, signal)
    if (server.trusted) return { server_name: server.serverName, status: 'Active', ...roundTrip }
    return { server_name: '', status: 'Unauthenticated', reason: untrustedReason(link, server), ...roundTrip }
  } catch (error) {
    return failed('Unreachable', error, { address, signal })
  }
}

/** The connection is there by now, so that this is the way there and back and little else. */
async function measure(
  { clock }: LinkContext,
  http: HttpCall,
  signal: AbortSignal,
): Promise<Pick<Member, 'round_trip_ms'>> {
  const sentMs = clock.monotonicMs()
  try {
    await http({ method: 'GET', path: '/' }, signal)
  } catch {
    // What was asked before has been answered, and tells how the peer is.
    return {}
  }
  return { round_trip_ms: Math.round((clock.monotonicMs() - sentMs) * 100) / 100 }
}

/** Why the other side takes us for a stranger. */
function untrustedReason({ type }: LinkRow, { supersededBy }: PeerServer): string {
  if (type === 'public') return 'a public link: the other side does not know this cluster'
  if (supersededBy !== undefined) return supersededText(supersededBy)
  return 'it does not trust this cluster: only this half of the link is left'
}

async function kafkaProbes(context: LinkContext, link: LinkRow, signal: AbortSignal): Promise<Probe[]> {
  const spec = (await sourceOf(context, link)) as DirectSpec
  return spec.bootstrap.map((server) => {
    return { address: formatAddress(server), finding: probeKafka(context, { ...spec, bootstrap: [server] }, signal) }
  })
}

async function probeKafka(context: LinkContext, spec: DirectSpec, signal: AbortSignal): Promise<Finding> {
  const { clock, log } = context
  const address = formatAddress(spec.bootstrap[0]!)
  await using cluster = openCluster(spec, { clock, log, deadlineMs: probeTimeoutMs - 500 })
  try {
    await cluster.clusterId({ signal })
    return { server_name: '', status: 'Active' }
  } catch (error) {
    const isLogin = isLinkspanError(error, 'kafka-not-permitted', 'not-permitted', 'not-trusted')
    return failed(isLogin ? 'Unauthenticated' : 'Unreachable', error, { address, signal })
  }
}

function failed(
  status: ClusterLinkStatus,
  error: unknown,
  { address, signal }: { address: string; signal: AbortSignal },
): Finding {
  const isTimeout = error === signal.reason || (error instanceof Error && error.name === 'TimeoutError')
  const text = isLinkspanError(error) ? error.message : explainError(error)
  // It is shown beside the address, which need not be said twice.
  const short = text.replace(`Cannot connect to ${address}: `, '').replace(`${address} `, 'it ')
  return { server_name: '', status, reason: isTimeout ? `it did not answer within ${probeTimeoutMs} ms` : short }
}
