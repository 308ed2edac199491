/**
 * The errors that Kafka's answers carry, by Kafka's own names (those of 4.3). `retry` is Kafka's judgement: the same
 * request may succeed later, perhaps after fresh metadata or at another broker.
 */
const table = {
  UNKNOWN_SERVER_ERROR: [-1, 'no', 'the broker failed in a way that it has no name for; its log says more'],
  NONE: [0, 'no', 'no error'],
  OFFSET_OUT_OF_RANGE: [1, 'no', 'the offset lies outside of the log'],
  CORRUPT_MESSAGE: [2, 'retry', 'the batch fails its checksum, is too large, or lacks a key on a compacted topic'],
  UNKNOWN_TOPIC_OR_PARTITION: [3, 'retry', 'the broker does not host this topic or partition'],
  INVALID_FETCH_SIZE: [4, 'no', 'the size asked for makes no sense'],
  LEADER_NOT_AVAILABLE: [5, 'retry', 'the partition has no leader at the moment'],
  NOT_LEADER_OR_FOLLOWER: [6, 'retry', 'the broker no longer leads the partition, or holds no replica of it'],
  REQUEST_TIMED_OUT: [7, 'retry', 'the broker could not finish within the time given'],
  BROKER_NOT_AVAILABLE: [8, 'no', 'the broker is not available'],
  REPLICA_NOT_AVAILABLE: [9, 'retry', 'the broker holds no usable replica of the partition'],
  MESSAGE_TOO_LARGE: [10, 'no', 'the batch is larger than max.message.bytes allows'],
  STALE_CONTROLLER_EPOCH: [11, 'no', 'another controller has taken over'],
  OFFSET_METADATA_TOO_LARGE: [12, 'no', 'the text beside the committed offset is too long'],
  NETWORK_EXCEPTION: [13, 'retry', 'the connection ended before the answer came'],
  COORDINATOR_LOAD_IN_PROGRESS: [14, 'retry', 'the coordinator still reads its state'],
  COORDINATOR_NOT_AVAILABLE: [15, 'retry', 'there is no coordinator at the moment'],
  NOT_COORDINATOR: [16, 'retry', 'another broker coordinates this group or transactional id'],
  INVALID_TOPIC_EXCEPTION: [17, 'no', 'the topic name is not valid, or the topic is internal'],
  RECORD_LIST_TOO_LARGE: [18, 'no', 'the batch is larger than a log segment'],
  NOT_ENOUGH_REPLICAS: [
    19,
    'retry',
    'fewer replicas are in sync than min.insync.replicas asks for; nothing was written',
  ],
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: [20, 'retry', 'written, but to fewer replicas than min.insync.replicas asks for'],
  INVALID_REQUIRED_ACKS: [21, 'no', 'acks must be -1, 0 or 1'],
  ILLEGAL_GENERATION: [22, 'no', 'the group has moved on to another generation'],
  INCONSISTENT_GROUP_PROTOCOL: [23, 'no', 'the member shares no protocol with the rest of the group'],
  INVALID_GROUP_ID: [24, 'no', 'the group id is not valid'],
  UNKNOWN_MEMBER_ID: [25, 'no', 'the coordinator does not know this member'],
  INVALID_SESSION_TIMEOUT: [26, 'no', 'the session timeout is outside of what the broker allows'],
  REBALANCE_IN_PROGRESS: [27, 'no', 'the group rebalances; members have to join again'],
  INVALID_COMMIT_OFFSET_SIZE: [28, 'no', 'the committed offset takes too many bytes'],
  TOPIC_AUTHORIZATION_FAILED: [29, 'no', 'not permitted on this topic'],
  GROUP_AUTHORIZATION_FAILED: [30, 'no', 'not permitted on this group'],
  CLUSTER_AUTHORIZATION_FAILED: [31, 'no', 'not permitted on the cluster'],
  INVALID_TIMESTAMP: [32, 'no', "a timestamp is too far from the broker's clock"],
  UNSUPPORTED_SASL_MECHANISM: [33, 'no', 'the listener does not offer this SASL mechanism'],
  ILLEGAL_SASL_STATE: [34, 'no', 'the request does not fit the state of the SASL exchange'],
  UNSUPPORTED_VERSION: [35, 'no', 'the broker does not speak this version of the request'],
  TOPIC_ALREADY_EXISTS: [36, 'no', 'a topic of this name exists'],
  INVALID_PARTITIONS: [37, 'no', 'the partition count is not possible'],
  INVALID_REPLICATION_FACTOR: [38, 'no', 'the replication factor is below one or above the count of usable brokers'],
  INVALID_REPLICA_ASSIGNMENT: [39, 'no', 'the replica assignment is not possible'],
  INVALID_CONFIG: [40, 'no', 'a configuration key or value is not valid'],
  NOT_CONTROLLER: [41, 'retry', 'the broker is not the controller'],
  INVALID_REQUEST: [42, 'no', 'the broker found the request malformed or contradictory; its log says more'],
  UNSUPPORTED_FOR_MESSAGE_FORMAT: [43, 'no', "the log's message format does not allow this"],
  POLICY_VIOLATION: [44, 'no', 'a policy of the cluster forbids this'],
  OUT_OF_ORDER_SEQUENCE_NUMBER: [45, 'no', 'the batch is not the next one of its producer'],
  DUPLICATE_SEQUENCE_NUMBER: [46, 'no', 'the batch was appended before'],
  INVALID_PRODUCER_EPOCH: [47, 'no', "the producer's epoch is older than the log's"],
  INVALID_TXN_STATE: [48, 'no', "the transaction's state does not allow this"],
  INVALID_PRODUCER_ID_MAPPING: [49, 'no', 'the producer id does not belong to this transactional id now'],
  INVALID_TRANSACTION_TIMEOUT: [50, 'no', 'the transaction timeout is larger than transaction.max.timeout.ms'],
  CONCURRENT_TRANSACTIONS: [51, 'retry', 'another step of the same transaction is still under way'],
  TRANSACTION_COORDINATOR_FENCED: [52, 'no', 'the marker comes from an outdated transaction coordinator'],
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: [53, 'no', 'not permitted on this transactional id'],
  SECURITY_DISABLED: [54, 'no', 'the cluster has no authorizer, so it keeps no ACLs'],
  OPERATION_NOT_ATTEMPTED: [55, 'no', 'not tried, as another part of the request had failed'],
  KAFKA_STORAGE_ERROR: [56, 'retry', "the broker's disk failed"],
  LOG_DIR_NOT_FOUND: [57, 'no', 'the broker has no such log directory'],
  SASL_AUTHENTICATION_FAILED: [58, 'no', 'user name, password or token was not accepted'],
  UNKNOWN_PRODUCER_ID: [59, 'no', 'the log no longer remembers this producer'],
  REASSIGNMENT_IN_PROGRESS: [60, 'no', 'replicas of the partition are being moved'],
  DELEGATION_TOKEN_AUTH_DISABLED: [61, 'no', 'the cluster has delegation tokens switched off'],
  DELEGATION_TOKEN_NOT_FOUND: [62, 'no', 'there is no such delegation token'],
  DELEGATION_TOKEN_OWNER_MISMATCH: [63, 'no', 'the principal may not own or renew this delegation token'],
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: [64, 'no', 'delegation tokens are not handled on this kind of connection'],
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: [65, 'no', 'not permitted on this delegation token'],
  DELEGATION_TOKEN_EXPIRED: [66, 'no', 'the delegation token has expired'],
  INVALID_PRINCIPAL_TYPE: [67, 'no', 'this type of principal is not supported'],
  NON_EMPTY_GROUP: [68, 'no', 'the group has members'],
  GROUP_ID_NOT_FOUND: [69, 'no', 'there is no such group'],
  FETCH_SESSION_ID_NOT_FOUND: [70, 'retry', 'the broker has dropped this fetch session'],
  INVALID_FETCH_SESSION_EPOCH: [71, 'retry', 'the fetch session is at another step'],
  LISTENER_NOT_FOUND: [72, 'retry', 'the leader has no listener of the name that this connection uses'],
  TOPIC_DELETION_DISABLED: [73, 'no', 'the cluster does not allow topics to be deleted'],
  FENCED_LEADER_EPOCH: [74, 'retry', 'the leader epoch of the request is outdated'],
  UNKNOWN_LEADER_EPOCH: [75, 'retry', 'the broker does not know the leader epoch of the request yet'],
  UNSUPPORTED_COMPRESSION_TYPE: [76, 'no', 'the version of the request does not allow this compression'],
  STALE_BROKER_EPOCH: [77, 'no', 'the broker has registered anew since'],
  OFFSET_NOT_AVAILABLE: [78, 'retry', 'the new leader does not know its high watermark yet'],
  MEMBER_ID_REQUIRED: [79, 'no', 'the member has to join again with the id that the answer gives'],
  PREFERRED_LEADER_NOT_AVAILABLE: [80, 'retry', 'the preferred leader is not available'],
  GROUP_MAX_SIZE_REACHED: [81, 'no', 'the group is full'],
  FENCED_INSTANCE_ID: [82, 'no', 'another member has taken over this static membership'],
  ELIGIBLE_LEADERS_NOT_AVAILABLE: [83, 'retry', 'no replica may become leader at the moment'],
  ELECTION_NOT_NEEDED: [84, 'retry', 'the partition already has the leader wanted'],
  NO_REASSIGNMENT_IN_PROGRESS: [85, 'no', 'no replicas of the partition are being moved'],
  GROUP_SUBSCRIBED_TO_TOPIC: [86, 'no', 'members of the group subscribe to the topic, so its offsets stay'],
  INVALID_RECORD: [87, 'no', 'the broker rejects a record of the batch'],
  UNSTABLE_OFFSET_COMMIT: [88, 'retry', 'an open transaction has offsets that are not decided yet'],
  THROTTLING_QUOTA_EXCEEDED: [89, 'retry', 'a quota is used up for the moment'],
  PRODUCER_FENCED: [90, 'no', 'a newer producer uses this transactional id'],
  RESOURCE_NOT_FOUND: [91, 'no', 'the resource does not exist'],
  DUPLICATE_RESOURCE: [92, 'no', 'the request names a resource twice'],
  UNACCEPTABLE_CREDENTIAL: [93, 'no', "the credential does not meet the cluster's rules"],
  INCONSISTENT_VOTER_SET: [94, 'no', 'one of the two is not among the expected voters'],
  INVALID_UPDATE_VERSION: [95, 'no', 'the version to update to is not valid'],
  FEATURE_UPDATE_FAILED: [96, 'no', 'the cluster could not update its features'],
  PRINCIPAL_DESERIALIZATION_FAILURE: [97, 'no', 'the broker could not read a forwarded principal'],
  SNAPSHOT_NOT_FOUND: [98, 'no', 'there is no such snapshot'],
  POSITION_OUT_OF_RANGE: [99, 'no', 'the position lies outside of the snapshot'],
  UNKNOWN_TOPIC_ID: [100, 'retry', 'the broker hosts no topic of this id'],
  DUPLICATE_BROKER_REGISTRATION: [101, 'no', 'another broker uses this id'],
  BROKER_ID_NOT_REGISTERED: [102, 'no', 'no broker of this id is registered'],
  INCONSISTENT_TOPIC_ID: [103, 'retry', 'the topic id of the request is not that of the log'],
  INCONSISTENT_CLUSTER_ID: [104, 'no', 'the request is meant for another cluster'],
  TRANSACTIONAL_ID_NOT_FOUND: [105, 'no', 'there is no such transactional id'],
  FETCH_SESSION_TOPIC_ID_ERROR: [106, 'retry', 'the fetch session mixes topic names and topic ids'],
  INELIGIBLE_REPLICA: [107, 'no', 'one of the replicas may not be in sync'],
  NEW_LEADER_ELECTED: [108, 'no', 'done, but the partition has another leader now'],
  OFFSET_MOVED_TO_TIERED_STORAGE: [109, 'no', 'the offset lies in tiered storage now'],
  FENCED_MEMBER_EPOCH: [110, 'no', "the member's epoch is outdated; it has to join again"],
  UNRELEASED_INSTANCE_ID: [111, 'no', 'another member still holds this static membership'],
  UNSUPPORTED_ASSIGNOR: [112, 'no', 'the group cannot use this assignor'],
  STALE_MEMBER_EPOCH: [113, 'no', 'the member has to learn its newer epoch first'],
  MISMATCHED_ENDPOINT_TYPE: [114, 'no', 'broker asked for what only a controller answers, or the reverse'],
  UNSUPPORTED_ENDPOINT_TYPE: [115, 'no', 'this type of endpoint is not supported'],
  UNKNOWN_CONTROLLER_ID: [116, 'no', 'no controller of this id is known'],
  UNKNOWN_SUBSCRIPTION_ID: [117, 'no', 'the telemetry subscription is outdated'],
  TELEMETRY_TOO_LARGE: [118, 'no', 'the telemetry is larger than the broker accepts'],
  INVALID_REGISTRATION: [119, 'no', "the controller refuses the broker's registration"],
  TRANSACTION_ABORTABLE: [120, 'no', 'the transaction has to be aborted; the transactional id stays usable'],
  INVALID_RECORD_STATE: [121, 'no', 'the record is not in a state that can be acknowledged'],
  SHARE_SESSION_NOT_FOUND: [122, 'retry', 'the broker has dropped this share session'],
  INVALID_SHARE_SESSION_EPOCH: [123, 'retry', 'the share session is at another step'],
  FENCED_STATE_EPOCH: [124, 'no', "the share group's state epoch is another one"],
  INVALID_VOTER_KEY: [125, 'no', 'the voter key is not that of the receiver'],
  DUPLICATE_VOTER: [126, 'no', 'the voter is in the set already'],
  VOTER_NOT_FOUND: [127, 'no', 'the voter is not in the set'],
  INVALID_REGULAR_EXPRESSION: [128, 'no', 'the regular expression is not valid'],
  REBOOTSTRAP_REQUIRED: [129, 'no', "the client's metadata is too old; it has to start from its bootstrap addresses"],
  STREAMS_INVALID_TOPOLOGY: [130, 'no', 'the streams topology is not valid'],
  STREAMS_INVALID_TOPOLOGY_EPOCH: [131, 'no', 'the epoch of the streams topology is not valid'],
  STREAMS_TOPOLOGY_FENCED: [132, 'no', 'the epoch of the streams topology is outdated'],
  SHARE_SESSION_LIMIT_REACHED: [133, 'retry', 'the broker has no room for another share session'],
} as const satisfies Record<string, readonly [code: number, retry: 'retry' | 'no', description: string]>

export type KafkaErrorName = keyof typeof table

export interface KafkaErrorInfo {
  readonly code: number
  readonly name: KafkaErrorName
  /** The same request may succeed later. */
  readonly retriable: boolean
  /** A clause without capital and full stop, to follow a colon. */
  readonly description: string
}

/** Code by name: `kafkaErrors.NOT_LEADER_OR_FOLLOWER` is 6. */
export const kafkaErrors = Object.fromEntries(Object.entries(table).map(([name, [code]]) => [name, code])) as {
  readonly [K in KafkaErrorName]: (typeof table)[K][0]
}

export const kafkaErrorTable: ReadonlyMap<number, KafkaErrorInfo> = new Map(
  Object.entries(table).map(([name, [code, retry, description]]) => {
    return [code, { code, name: name as KafkaErrorName, retriable: retry === 'retry', description }]
  }),
)

/** Kafka's name of the code; a code newer than this table reads `ERROR_<code>`. */
export function kafkaErrorName(code: number): string {
  return kafkaErrorTable.get(code)?.name ?? `ERROR_${code}`
}

/** What the code means, in words; never empty. */
export function kafkaErrorDescription(code: number): string {
  return kafkaErrorTable.get(code)?.description ?? 'an error that this version of Linkspan does not know'
}

/** False for codes that are not known: nobody should retry what he does not understand. */
export function isRetriable(code: number): boolean {
  return kafkaErrorTable.get(code)?.retriable ?? false
}
