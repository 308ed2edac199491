/** What clients can make this broker keep, in all groups together. One that would go beyond is refused. */
export interface GroupLimits {
  groupsMax: number
  /** Of all their names. */
  groupCharactersMax: number
  /** Those who were given an id and have not joined with it yet count too. */
  membersMax: number
  /** Metadata, assignments and names of all members. */
  memberBytesMax: number
  offsetsMax: number
  /** Names and metadata beside all offsets. */
  offsetCharactersMax: number
}

export const groupLimits: GroupLimits = {
  groupsMax: 20_000,
  groupCharactersMax: 4 * 1024 * 1024,
  membersMax: 50_000,
  memberBytesMax: 64 * 1024 * 1024,
  offsetsMax: 100_000,
  offsetCharactersMax: 16 * 1024 * 1024,
}

/** How much of that is used by members. */
export class MemberUsage {
  readonly #limits: GroupLimits
  members = 0
  bytes = 0

  constructor(limits: GroupLimits) {
    this.#limits = limits
  }

  fits(more: { members: number; bytes: number }): boolean {
    const { membersMax, memberBytesMax } = this.#limits
    return this.members + more.members <= membersMax && this.bytes + more.bytes <= memberBytesMax
  }
}
