import { zeroUuid } from '../../wire/schema.ts'

/** More topics than a cluster can have; the oldest are forgotten first. */
const topicsMax = 200_000

/** Names by topic id, from the source's own Metadata answers: the only place where an id becomes a name. */
export class TopicIds {
  readonly #names = new Map<string, string>()

  get(topicId: string): string | undefined {
    return this.#names.get(topicId)
  }

  learn(topics: readonly { topicId: string; name: string | null; errorCode: number }[]): void {
    for (const { topicId, name, errorCode } of topics) {
      if (errorCode !== 0 || name === null || topicId === zeroUuid) continue
      this.#names.set(topicId, name)
      if (this.#names.size > topicsMax) this.#names.delete(this.#names.keys().next().value as string)
    }
  }
}
