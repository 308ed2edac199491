import { bool, defineApi, int16, int32, int64Bits, string } from '../schema.ts'

/**
 * A producer id and epoch; with a transactional id, at its coordinator, the older epochs are fenced and an open
 * transaction is aborted. v2 is flexible, v3 lets a producer keep its id with a raised epoch, v4 answers a fenced one
 * with error 90, v5 may answer 120, v6 is for two-phase commit. Kafka 4.3 hides v6 unless unstable versions are
 * switched on.
 */
export const initProducerId = defineApi({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 6],
  flexible: 2,
  request: {
    transactionalId: string({ nullable: 0 }),
    transactionTimeoutMs: int32(),
    producerId: int64Bits({ from: 3, default: -1n }),
    producerEpoch: int16({ from: 3, default: -1 }),
    enable2Pc: bool({ from: 6 }),
    keepPreparedTxn: bool({ from: 6 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: int64Bits({ default: -1n }),
    producerEpoch: int16(),
    ongoingTxnProducerId: int64Bits({ from: 6, default: -1n }),
    ongoingTxnProducerEpoch: int16({ from: 6, default: -1 }),
  },
})
