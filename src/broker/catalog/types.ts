import type { LogConfig } from '../log/types.ts'

export interface Topic {
  /** Dashed UUID. */
  readonly topicId: string
  readonly name: string
  readonly partitions: number
  /** Those that were set; everything else is the broker's default. */
  readonly configs: Readonly<Record<string, string>>
  /** Set while the topic is a mirror of our own daemon: nobody else may write. */
  readonly mirrorId: string | null
}

/** Topics and their configs, durable. */
export interface Catalog {
  /** In the order of their names. */
  list(): readonly Topic[]
  get(name: string): Topic | undefined
  byId(topicId: string): Topic | undefined
  /** The effective configs as the log needs them. */
  logConfig(topic: Pick<Topic, 'configs'>): LogConfig
  /** Called once a topic is gone for everybody; returns what ends that. */
  onDeleted(listener: (topic: Topic) => void): () => void
}
