/** How a link's data path behaves. Every value has a default; control range-checks what operators give. */
export interface PumpSettings {
  /**
   * `producer.id.expiration.ms` of the destination's brokers: batches older than this leave no fence behind at the
   * broker. When control may not read it, Kafka's default counts.
   */
  producerExpirationMs: number
  /**
   * How long the destination's log end has to stand still before old data goes on after a doubt (see `quarantine.ts`).
   */
  drainGraceMs: number
  /** How long a topic may be missing from its cluster's metadata before its partitions stop. */
  goneGraceMs: number
  /** The longest that a source broker may hold a fetch while there is nothing new. */
  fetchWaitMs: number
  /** Of one answer. An answer should fit a slab: longer ones need fresh memory, which costs several times as much. */
  fetchBytes: number
  /** Larger batches stop the partition. Brokers take at most 100 MiB by default. */
  batchBytesMax: number
  /** One read buffer. Measured: 2 MiB cost a third less per byte than 512 KiB, and 4 MiB only more memory. */
  slabBytes: number
  /** Of all source brokers together: bounds the memory of the link, whatever the backlog. */
  slabsMax: number
  /** Sent to one destination broker and not answered yet. */
  windowBytes: number
  windowRequests: number
  /** One produce request; a single larger batch goes alone. */
  produceBytes: number
  /** How often the destination's high watermark is asked while something is unconfirmed. */
  confirmIntervalMs: number
  /** How often the log end of quiet partitions is asked: bounds how long a foreign write stays unseen. */
  watchIntervalMs: number
  statsIntervalMs: number
  requestTimeoutMs: number
}

export const pumpDefaults: PumpSettings = {
  producerExpirationMs: 86_400_000,
  drainGraceMs: 10_000,
  goneGraceMs: 10_000,
  fetchWaitMs: 500,
  fetchBytes: 2 * 1024 * 1024,
  batchBytesMax: 100 * 1024 * 1024,
  slabBytes: 2 * 1024 * 1024 + 64 * 1024,
  slabsMax: 16,
  windowBytes: 16 * 1024 * 1024,
  windowRequests: 2048,
  produceBytes: 1024 * 1024,
  confirmIntervalMs: 150,
  watchIntervalMs: 500,
  statsIntervalMs: 250,
  requestTimeoutMs: 30_000,
}
