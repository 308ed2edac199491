/** What the daemon proves of one partition; offsets and counts in records, ends are offsets after the last one. */
export interface PartitionProof {
  partition: number
  start: { source: number; destination: number; equal: boolean }
  end: { source: number; destination: number; equal: boolean }
  /** What both sides have, up to the offset before `to`. */
  range: { from: number; to: number }
  records: number
  bytes: number
  compactedAway: number
  digest: { source: string; destination: string }
  /** Of the content in the range. */
  equal: boolean
  firstDifference: { offset: number; what: string } | null
}

export interface TopicProof {
  topic: string
  sourceTopic: string
  equal: boolean
  complete: boolean
  partitions: PartitionProof[]
}

export interface ProofSummary {
  partitions: number
  records: number
  bytes: number
  /** Records that the source has after the mirror's end. */
  missing: number
  /** Partitions that do not begin at the same offset. */
  otherStarts: number
  differences: { topic: string; proof: PartitionProof }[]
}

export function summarise(proofs: readonly TopicProof[]): ProofSummary {
  const all = proofs.flatMap(({ topic, partitions }) => partitions.map((proof) => ({ topic, proof })))
  const sum = (numberOf: (proof: PartitionProof) => number) => {
    return all.reduce((total, { proof }) => total + numberOf(proof), 0)
  }
  return {
    partitions: all.length,
    records: sum(({ records }) => records),
    bytes: sum(({ bytes }) => bytes),
    missing: sum(({ end }) => Math.max(0, end.source - end.destination)),
    otherStarts: all.filter(({ proof }) => !proof.start.equal).length,
    differences: all.filter(({ proof }) => !proof.equal),
  }
}

/** One line that answers the question: is it a complete copy? */
export function verdict(summary: ProofSummary): string {
  const { partitions, records, missing, otherStarts, differences } = summary
  const compared = `${count(records, 'record')} in ${count(partitions, 'partition')} compared`
  const [first] = differences
  if (first) {
    const { topic, proof } = first
    const { offset, what } = proof.firstDifference ?? { offset: proof.range.from, what: 'the digests differ' }
    const place = `the first at ${topic} partition ${proof.partition} offset ${offset}: ${what}`
    return `DIFFERENT: ${compared}, ${count(differences.length, 'partition')} not equal, ${place}`
  }
  const notes = [
    missing > 0 ? `${count(missing, 'offset')} of the source not mirrored yet` : '',
    otherStarts > 0 ? `${count(otherStarts, 'partition')} not beginning where the source begins` : '',
  ].filter((note) => note !== '')
  return notes.length === 0 ? `EQUAL: ${compared}, nothing is missing` : `EQUAL: ${compared}; ${notes.join(', ')}`
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`
}
