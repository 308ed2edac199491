import { collisionKey } from './names.ts'
import type { Topic } from './types.ts'

/** The topics that there are, found by name and by id. */
export class TopicSet {
  readonly #byId = new Map<string, Topic>()
  readonly #byName = new Map<string, Topic>()
  /** One name for each collision key: no other can come beside it. */
  readonly #names = new Map<string, string>()
  #sorted: readonly Topic[] | undefined
  #partitions = 0

  /** Of all topics. */
  get partitions(): number {
    return this.#partitions
  }

  list(): readonly Topic[] {
    this.#sorted ??= [...this.#byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1))
    return this.#sorted
  }

  get(name: string): Topic | undefined {
    return this.#byName.get(name)
  }

  byId(topicId: string): Topic | undefined {
    return this.#byId.get(topicId)
  }

  /** Another topic whose name has the same collision key. */
  colliding(name: string): string | undefined {
    const found = this.#names.get(collisionKey(name))
    return found === name ? undefined : found
  }

  /** Adds the topic, or takes the place of the one of its id. */
  put(topic: Topic): void {
    this.#partitions += topic.partitions - (this.#byId.get(topic.topicId)?.partitions ?? 0)
    this.#byId.set(topic.topicId, topic)
    this.#byName.set(topic.name, topic)
    this.#names.set(collisionKey(topic.name), topic.name)
    this.#sorted = undefined
  }

  remove(topic: Topic): void {
    if (!this.#byId.delete(topic.topicId)) return
    this.#byName.delete(topic.name)
    this.#names.delete(collisionKey(topic.name))
    this.#partitions -= topic.partitions
    this.#sorted = undefined
  }
}
