import { explainError, isLinkspanError } from '../base/errors.ts'
import type { ClusterLinkState, ClusterLinkStatus } from '../contract/v1.ts'
import { openCluster } from '../kafka/open-cluster.ts'
import { formatAddress } from '../transport/address.ts'
import type { Pin } from '../transport/pinned.ts'
import type { DirectSpec } from '../transport/spec.ts'
import type { LinkContext } from './context.ts'
import { readPeerServer } from './peer.ts'
import { addressesOf, type LinkRow, pinOf } from './rows.ts'
import { sourceOf, stillPending } from './source.ts'
import { supersededText } from './superseded.ts'

type Member = ClusterLinkState['cluster_link_members'][number]

/** A peer that drops packets must not keep whoever asks waiting. */
const probeTimeoutMs = 4000

/** Asks all addresses at the same time. Throws `state-conflict` for a link that is pending. */
export async function probeLink(context: LinkContext, link: LinkRow, signal?: AbortSignal): Promise<ClusterLinkState> {
  const timeout = AbortSignal.timeout(probeTimeoutMs)
  const both = signal ? AbortSignal.any([signal, timeout]) : timeout
  if (link.reach === 'kafka') {
    const spec = (await sourceOf(context, link)) as DirectSpec
    const probes = spec.bootstrap.map((server) => probeKafka(context, { ...spec, bootstrap: [server] }, both))
    return { cluster_link_members: await Promise.all(probes) }
  }
  if (link.state !== 'active' || !link.peer) throw stillPending(link)
  const fingerprint = pinOf(link.peer)
  const probes = addressesOf(link).map((address) => probePeer(context, link, { address, fingerprint, signal: both }))
  return { cluster_link_members: await Promise.all(probes) }
}

const notTrusted = 'it does not trust this cluster: the link or its identity was deleted there'

async function probePeer(
  context: LinkContext,
  link: LinkRow,
  { address, fingerprint, signal }: { address: string; fingerprint: Pin; signal: AbortSignal },
): Promise<Member> {
  const as = link.type === 'public' ? {} : { as: context.identity.cluster }
  try {
    const server = await readPeerServer({ addresses: [address], fingerprint, signal, ...as })
    if (server.trusted) return { server_name: server.serverName, address, status: 'Active' }
    const reason = server.supersededBy === undefined ? notTrusted : supersededText(server.supersededBy)
    return { server_name: '', address, status: 'Unauthenticated', reason }
  } catch (error) {
    return failed(address, 'Unreachable', error)
  }
}

async function probeKafka(context: LinkContext, spec: DirectSpec, signal: AbortSignal): Promise<Member> {
  const address = formatAddress(spec.bootstrap[0]!)
  const { clock, log } = context
  await using cluster = openCluster(spec, { clock, log, deadlineMs: probeTimeoutMs - 500 })
  try {
    await cluster.clusterId({ signal })
    return { server_name: '', address, status: 'Active' }
  } catch (error) {
    const isLogin = isLinkspanError(error, 'kafka-not-permitted', 'not-permitted', 'not-trusted')
    return failed(address, isLogin ? 'Unauthenticated' : 'Unreachable', error)
  }
}

function failed(address: string, status: ClusterLinkStatus, error: unknown): Member {
  const isTimeout = error instanceof Error && error.name === 'TimeoutError'
  const reason = isTimeout ? `it did not answer within ${probeTimeoutMs} ms` : explainError(error)
  return { server_name: '', address, status, reason }
}
