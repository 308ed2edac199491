import type { ProcessMeter } from './accounting.ts'
import type { BenchKafka } from './brokers.ts'
import type { BenchOptions } from './options.ts'
import type { SourceTopic } from './source-topic.ts'

export interface MirrorContext {
  source: BenchKafka
  destination: BenchKafka
  topic: SourceTopic
  options: BenchOptions
  /** For this run alone; removed afterwards. */
  folder: string
}

/** One mirror at work, from nothing to the last record. Disposed of, its processes are gone. */
export interface MirrorRun extends AsyncDisposable {
  /** Its processes. `source` and `destination` are the two ends of a tunnel, `mirror` is all else. */
  readonly meters: readonly ProcessMeter[]
  /** Starts the copy, unless the start of its process did. */
  begin(): Promise<void>
  /** Throws when it has ended or said that it failed. */
  check(): Promise<void>
  /** After the copy: what has to hold besides, such as settings that must have reached a client. Throws. */
  verify(): Promise<void>
}
