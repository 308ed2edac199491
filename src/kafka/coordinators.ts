import { findCoordinator } from '../wire/api/10-find-coordinator.ts'
import type { KafkaConnection } from './connection.ts'
import type { Deadline } from './deadline.ts'

/** Beyond it the groups asked for longest ago are forgotten, and asked for again. */
const groupsMax = 200_000
const groupsPerRequest = 1000
const groupKeyType = 0

export interface LocatedGroups {
  nodes: Map<number, string[]>
  failed: { group: string; errorCode: number; message: string | null }[]
}

/** Which broker coordinates which consumer group. */
export class Coordinators {
  readonly #nodes = new Map<string, number>()
  readonly #connect: (deadline: Deadline) => Promise<KafkaConnection>

  constructor(connect: (deadline: Deadline) => Promise<KafkaConnection>) {
    this.#connect = connect
  }

  forget(groups: readonly string[]): void {
    for (const group of groups) this.#nodes.delete(group)
  }

  /** Asks for those that are not known. No retry: the caller has his rounds. */
  async locate(groups: readonly string[], deadline: Deadline): Promise<LocatedGroups> {
    const failed: LocatedGroups['failed'] = []
    const unknown = groups.filter((group) => !this.#nodes.has(group))
    for (let start = 0; start < unknown.length; start += groupsPerRequest) {
      const coordinatorKeys = unknown.slice(start, start + groupsPerRequest)
      const connection = await this.#connect(deadline)
      const body = { keyType: groupKeyType, coordinatorKeys }
      const answer = await deadline.of(connection.request(findCoordinator, body))
      for (const { key, nodeId, errorCode, errorMessage } of answer.coordinators) {
        if (errorCode === 0) this.#remember(key, nodeId)
        else failed.push({ group: key, errorCode, message: errorMessage })
      }
    }
    const nodes = new Map<number, string[]>()
    for (const group of groups) {
      const nodeId = this.#nodes.get(group)
      if (nodeId === undefined) continue
      const others = nodes.get(nodeId)
      if (others) others.push(group)
      else nodes.set(nodeId, [group])
    }
    return { nodes, failed }
  }

  #remember(group: string, nodeId: number): void {
    if (this.#nodes.size >= groupsMax) this.#nodes.delete(this.#nodes.keys().next().value as string)
    this.#nodes.set(group, nodeId)
  }
}
