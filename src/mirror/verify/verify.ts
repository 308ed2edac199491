import { isLinkspanError } from '../../base/errors.ts'
import { highWatermark, logStart } from '../../kafka/admin/offsets.ts'
import type { KafkaCluster } from '../../kafka/cluster.ts'
import { unwrap } from '../../kafka/rounds.ts'
import { type Comparison, compareLogs, type Difference } from './compare.ts'
import { LogReader } from './log-reader.ts'

export interface VerifyRequest {
  source: KafkaCluster
  sourceTopic: string
  destination: KafkaCluster
  topic: string
  partitions: number
  /** Records may be missing on one side, because a cleaner took them. */
  compacted: boolean
  /** It follows its source still: a record that the source has not is a foreign one. */
  live: boolean
}

export interface VerifyOptions {
  onProgress?: (progress: VerifyProgress) => void
  signal?: AbortSignal | undefined
}

export interface VerifyProgress {
  partition: number
  partitions: number
  offset: number
  from: number
  to: number
}

/** What is proven of one partition. Start, end and content are judged apart: a mirror that lags is not different. */
export interface PartitionProof {
  partition: number
  /** Log starts. */
  start: { source: number; destination: number; equal: boolean }
  /** High watermarks. */
  end: { source: number; destination: number; equal: boolean }
  /** What both sides have: compared from the first offset to the one before `to`. */
  range: { from: number; to: number }
  records: number
  batches: number
  bytes: number
  decodedBatches: number
  compactedAway: number
  /** SHA-256 of what was compared; the same on both sides when the contents are. */
  digest: { source: string; destination: string }
  /** Nothing in the range differs; and while it is a mirror, it has nothing that the source has not. */
  equal: boolean
  firstDifference: Difference | null
}

export interface TopicProof {
  topic: string
  sourceTopic: string
  /** No partition has a difference. */
  equal: boolean
  /** Every partition has all that the source has. */
  complete: boolean
  partitions: PartitionProof[]
}

/** Retention may take away what is being read. */
const attemptsMax = 3

/** Compares a mirror with its source, record for record over what both have. Memory is bounded; time is not. */
export async function verifyTopic(request: VerifyRequest, options: VerifyOptions = {}): Promise<TopicProof> {
  const proofs: PartitionProof[] = []
  for (let partition = 0; partition < request.partitions; partition += 1) {
    proofs.push(await verifyPartition(request, partition, options))
  }
  const { topic, sourceTopic } = request
  const equal = proofs.every((proof) => proof.equal)
  return { topic, sourceTopic, equal, complete: proofs.every(({ end }) => end.equal), partitions: proofs }
}

async function verifyPartition(
  request: VerifyRequest,
  partition: number,
  options: VerifyOptions,
): Promise<PartitionProof> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await tryVerify(request, partition, options)
    } catch (error) {
      const passed = isLinkspanError(error) && error.details.kafkaName === 'OFFSET_OUT_OF_RANGE'
      if (!passed || attempt === attemptsMax) throw error
    }
  }
}

async function tryVerify(request: VerifyRequest, partition: number, options: VerifyOptions): Promise<PartitionProof> {
  const { source, sourceTopic, destination, topic, compacted, partitions, live } = request
  const { onProgress, signal } = options
  const there = { topic: sourceTopic, partition }
  const here = { topic, partition }
  const offset = async (ask: typeof logStart, cluster: KafkaCluster, at: typeof here) => {
    return unwrap((await ask(cluster, [at], { signal }))[0]).offset
  }
  // The destination's end first: what is there was at the source before.
  const ourEnd = await offset(highWatermark, destination, here)
  const theirEnd = await offset(highWatermark, source, there)
  const theirStart = await offset(logStart, source, there)
  const ourStart = await offset(logStart, destination, here)
  const from = Math.max(theirStart, ourStart)
  const to = Math.max(from, Math.min(theirEnd, ourEnd))
  const compared = await compareLogs(
    new LogReader(source, { ...there, from, to }, signal),
    new LogReader(destination, { ...here, from, to }, signal),
    { compacted, signal, onProgress: (at) => onProgress?.({ partition, partitions, offset: at, from, to }) },
  )
  return {
    partition,
    start: { source: theirStart, destination: ourStart, equal: theirStart === ourStart },
    end: { source: theirEnd, destination: ourEnd, equal: theirEnd === ourEnd },
    range: { from, to },
    ...countsOf(compared),
    digest: compared.digests,
    ...judge(compared.difference ?? (live ? foreignTail(theirEnd, ourEnd) : null)),
  }
}

function judge(firstDifference: Difference | null): Pick<PartitionProof, 'equal' | 'firstDifference'> {
  return { equal: firstDifference === null, firstDifference }
}

/** What stands behind the source's end came from somebody else, or the source has lost what it had. */
function foreignTail(sourceEnd: number, mirrorEnd: number): Difference | null {
  if (mirrorEnd <= sourceEnd) return null
  return { offset: sourceEnd, what: `the source ends here, the mirror has ${mirrorEnd - sourceEnd} records more` }
}

function countsOf({ records, batches, bytes, decodedBatches, compactedAway }: Comparison) {
  return { records, batches, bytes, decodedBatches, compactedAway }
}
