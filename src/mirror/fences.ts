import type { Clock } from '../base/clock.ts'
import { LinkspanError } from '../base/errors.ts'
import type { AclBinding } from '../kafka/admin/acl-names.ts'
import type { KafkaCluster } from '../kafka/cluster.ts'
import type { Store } from '../store/store.ts'
import type { MirrorBook } from './book.ts'
import { fenceTopic } from './fence.ts'
import { type FenceRow, fenceTable } from './rows.ts'
import { findTopic } from './topic-making.ts'
import { Turns } from './turns.ts'
import { removeAcls } from './write-rights.ts'

export interface FencesOptions {
  store: Store
  clock: Clock
  cluster: KafkaCluster
  book: MirrorBook
}

const fencesMax = 10_000

/** Topics of this cluster whose writers are denied, so that a mirror elsewhere can take over: until it is lifted. */
export class Fences {
  readonly #options: FencesOptions
  readonly #turns = new Turns()

  constructor(options: FencesOptions) {
    this.#options = options
  }

  list(): FenceRow[] {
    return this.#options.store.rows.list(fenceTable).map(({ row }) => row)
  }

  /** May be repeated. Throws `kafka-unknown-topic`, `state-conflict`, `unsupported` where writers cannot be denied. */
  fence(topic: string): Promise<void> {
    return this.#turns.run(topic, async () => {
      const { cluster, book } = this.#options
      if (book.live(topic)) {
        throw new LinkspanError('state-conflict', `Topic '${topic}' is a mirror: nobody else may write to it anyway`)
      }
      if (!(await findTopic(cluster, topic))) {
        throw new LinkspanError('kafka-unknown-topic', `There is no topic '${topic}' here that could be fenced`)
      }
      await fenceTopic(cluster, topic, (acls) => this.#remember(topic, acls))
    })
  }

  /** False: it was not fenced. */
  lift(topic: string): Promise<boolean> {
    return this.#turns.run(topic, async () => {
      const row = this.#options.store.rows.get(fenceTable, topic)
      if (!row) return false
      await removeAcls(this.#options.cluster, row.acls)
      await this.#options.store.execute('lift fence', () => ({
        changes: [fenceTable.remove(topic)],
        result: undefined,
      }))
      return true
    })
  }

  async #remember(topic: string, acls: AclBinding[]): Promise<void> {
    await this.#options.store.execute('fence topic', (rows) => {
      if (rows.count(fenceTable) >= fencesMax) {
        throw new LinkspanError('too-large', `There are ${fencesMax} fenced topics already: lift some fences first`)
      }
      const sinceMs = rows.get(fenceTable, topic)?.sinceMs ?? this.#options.clock.wallMs()
      return { changes: [fenceTable.put(topic, { topic, acls, sinceMs })], result: undefined }
    })
  }
}
