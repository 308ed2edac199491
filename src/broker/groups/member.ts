import type { KafkaErrorName } from '../../wire/errors.ts'
import type { Timer } from './timers.ts'
import type { JoinRequest, JoinResult, MemberIdentity, MemberProtocol, SyncResult } from './types.ts'

/** One member of a group, by its own id. */
export interface Member extends MemberIdentity {
  readonly clientId: string
  readonly clientHost: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocols: MemberProtocol[]
  assignment: Uint8Array
  /** Has not been through a rebalance: nothing proves that it lives, so its session ends even while it waits. */
  isNew: boolean
  /** Answers its JoinGroup that waits. */
  join: ((result: JoinResult) => void) | undefined
  /** Answers its SyncGroup that waits. */
  sync: ((result: SyncResult) => void) | undefined
  readonly session: Timer
  /** What it was counted with. */
  bytes: number
}

export const noBytes: Uint8Array = new Uint8Array(0)

/** What objects take apart from their contents, roughly. */
const memberOverheadBytes = 1024
const protocolOverheadBytes = 128

export function createMember(memberId: string, request: JoinRequest, session: Timer): Member {
  return {
    memberId,
    instanceId: request.instanceId,
    clientId: request.clientId,
    clientHost: request.clientHost,
    ...changeOf(request),
    assignment: noBytes,
    isNew: true,
    join: undefined,
    sync: undefined,
    session,
    bytes: 0,
  }
}

export type MemberChange = Pick<Member, 'protocols' | 'sessionTimeoutMs' | 'rebalanceTimeoutMs'>

/** What a member says anew each time that it joins. The bytes are copied: the request's are valid for a while only. */
export function changeOf({ sessionTimeoutMs, rebalanceTimeoutMs, protocols }: JoinRequest): MemberChange {
  const kept = protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }))
  return { sessionTimeoutMs, rebalanceTimeoutMs, protocols: kept }
}

export function bytesOf(member: Pick<Member, 'memberId' | 'instanceId' | 'clientId' | 'protocols' | 'assignment'>) {
  const names = member.memberId.length + (member.instanceId?.length ?? 0) + member.clientId.length
  const protocols = member.protocols.reduce((sum, { name, metadata }) => {
    return sum + name.length + metadata.length + protocolOverheadBytes
  }, 0)
  return memberOverheadBytes + names + protocols + member.assignment.length
}

/** Of an id that was given out and is not used yet. */
export function promisedBytes(memberId: string): number {
  return memberOverheadBytes + memberId.length
}

/** The same protocols, in the same order, with the same metadata. */
export function matches(member: Member, protocols: readonly MemberProtocol[]): boolean {
  if (member.protocols.length !== protocols.length) return false
  return member.protocols.every(({ name, metadata }, index) => {
    const other = protocols[index]!
    return name === other.name && Buffer.compare(metadata, other.metadata) === 0
  })
}

export function metadataFor(member: Member, protocolName: string | null): Uint8Array {
  return member.protocols.find(({ name }) => name === protocolName)?.metadata ?? noBytes
}

export function refusedJoin(error: KafkaErrorName, memberId: string): JoinResult {
  return {
    error,
    memberId,
    generation: -1,
    protocolType: null,
    protocolName: null,
    leader: '',
    skipAssignment: false,
    members: [],
  }
}

export function refusedSync(error: KafkaErrorName): SyncResult {
  return { error, protocolType: null, protocolName: null, assignment: noBytes }
}
