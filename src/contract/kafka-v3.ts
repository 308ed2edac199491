import { type Static, type TSchema, Type } from 'typebox'

/**
 * Confluent's dialect, `/kafka/v3`: the shapes of its bodies. Answers give every member that the published schema calls
 * required, as null rather than not at all; their SDKs decode `mirror_status` strictly.
 */
const Text = Type.String()
const OrNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])
const given = <Schema extends TSchema>(schema: Schema) => Type.Optional(OrNull(schema))
const choice = <const Values extends readonly string[]>(values: Values) => {
  return Type.Unsafe<Values[number]>({ type: 'string', enum: values })
}

export const ItemMetadata = Type.Object({ self: Text, resource_name: OrNull(Text) })
export const ListMetadata = Type.Object({ self: Text, next: Type.Null() })
const item = <const Kind extends string>(kind: Kind) => ({ kind: Type.Literal(kind), metadata: ItemMetadata })

/** `KafkaLinkDataList` and its like. */
export function listOf<const Kind extends string, Item extends TSchema>(kind: Kind, schema: Item) {
  return Type.Object({ kind: Type.Literal(kind), metadata: ListMetadata, data: Type.Array(schema) })
}

export const V3Error = Type.Object({ error_code: Type.Integer(), message: Text })
export type V3Error = Static<typeof V3Error>

/** The documentation quotes only texts, so numbers and booleans are sent too. */
export const ConfigInput = Type.Object({
  name: Text,
  value: given(Type.Union([Text, Type.Number(), Type.Boolean()])),
})
export type ConfigInput = Static<typeof ConfigInput>

export const AlterConfigInput = Type.Object({ ...ConfigInput.properties, operation: given(Text) })
export type AlterConfigInput = Static<typeof AlterConfigInput>

/** `data` is the API's own member; the documentation's examples also lead people to `configs`. */
export const AlterConfigs = Type.Object({
  data: given(Type.Array(AlterConfigInput)),
  configs: given(Type.Array(AlterConfigInput)),
  validate_only: given(Type.Boolean()),
})
export type AlterConfigs = Static<typeof AlterConfigs>

export const PutConfig = Type.Object({ value: given(Type.Union([Text, Type.Number(), Type.Boolean()])) })
export type PutConfig = Static<typeof PutConfig>

const Related = Type.Object({ related: Text })

export const KafkaCluster = Type.Object({
  ...item('KafkaCluster'),
  cluster_id: Text,
  controller: Type.Optional(Related),
  acls: Related,
  brokers: Related,
  broker_configs: Related,
  consumer_groups: Related,
  topics: Related,
  partition_reassignments: Related,
})
export type KafkaCluster = Static<typeof KafkaCluster>
export const KafkaClusterList = listOf('KafkaClusterList', KafkaCluster)
export type KafkaClusterList = Static<typeof KafkaClusterList>

export const CreateLink = Type.Object({
  source_cluster_id: given(Text),
  destination_cluster_id: given(Text),
  remote_cluster_id: given(Text),
  cluster_link_id: given(Text),
  configs: given(Type.Array(ConfigInput)),
})
export type CreateLink = Static<typeof CreateLink>

export const linkStates = ['ACTIVE', 'FAILED', 'UNAVAILABLE', 'PAUSED', 'UNKNOWN'] as const
export type LinkState = (typeof linkStates)[number]

export const linkErrors = [
  'UNKNOWN',
  'NO_ERROR',
  'AUTHENTICATION_ERROR',
  'UNRESOLVABLE_BOOTSTRAP_ERROR',
  'INVALID_BOOTSTRAP_INTERNAL_ENDPOINT_ERROR',
  'BOOTSTRAP_TCP_CONNECTION_FAILED_ERROR',
  'TIMEOUT_ERROR',
] as const
export type LinkError = (typeof linkErrors)[number]

export const taskNames = ['ConsumerOffsetSync', 'AclSync', 'AutoCreateMirror', 'TopicConfigsSync'] as const
export type TaskName = (typeof taskNames)[number]

export const taskStates = [
  'UNKNOWN',
  'ACTIVE',
  'IN_ERROR',
  'NOT_CONFIGURED',
  'LINK_FAILED',
  'LINK_UNAVAILABLE',
  'LINK_PAUSED',
] as const
export type TaskState = (typeof taskStates)[number]

/** Of tasks, and of a mirror's last change of state. */
export const taskErrorCodes = [
  'UNKNOWN',
  'NO_ERROR',
  'INTERNAL_ERROR',
  'AUTHENTICATION_ERROR',
  'BROKER_AUTHENTICATION_ERROR',
  'MISCONFIGURATION_ERROR',
  'REMOTE_LINK_NOT_FOUND_ERROR',
  'LINK_NOT_FOUND_ERROR',
  'CONSUMER_GROUP_IN_USE_ERROR',
  'AUTHORIZATION_ERROR',
  'BROKER_AUTHORIZATION_ERROR',
  'SECURITY_DISABLED_ERROR',
  'TOPIC_EXISTS_ERROR',
  'POLICY_VIOLATION_ERROR',
  'LINK_COORDINATOR_NOT_ENABLED_ERROR',
  'ACL_LIMIT_EXCEEDED',
  'REMOTE_MIRROR_NOT_FOUND_ERROR',
  'UNKNOWN_TOPIC_OR_PARTITION_ERROR',
  'INVALID_TOPIC',
  'SUPPRESSED_ERRORS',
  'INVALID_REQUEST_ERROR',
] as const
export type TaskErrorCode = (typeof taskErrorCodes)[number]

const TaskError = Type.Object({ error_code: choice(taskErrorCodes), error_message: Text })

export const LinkTask = Type.Object({
  task_name: choice(taskNames),
  state: choice(taskStates),
  errors: Type.Array(TaskError),
})
export type LinkTask = Static<typeof LinkTask>

export const stateCategories = ['PAUSED', 'IN_ERROR', 'PENDING', 'ACTIVE', 'NOT_APPLICABLE'] as const

export const KafkaLink = Type.Object({
  ...item('KafkaLinkData'),
  source_cluster_id: OrNull(Text),
  destination_cluster_id: OrNull(Text),
  remote_cluster_id: OrNull(Text),
  link_name: Text,
  link_id: Text,
  cluster_link_id: Text,
  topic_names: Type.Array(Text),
  link_state: choice(linkStates),
  link_error: choice(linkErrors),
  link_error_message: OrNull(Text),
  tasks: Type.Optional(Type.Array(LinkTask)),
  category_counts: Type.Array(Type.Object({ state_category: choice(stateCategories), count: Type.Integer() })),
})
export type KafkaLink = Static<typeof KafkaLink>
export const KafkaLinkList = listOf('KafkaLinkDataList', KafkaLink)
export type KafkaLinkList = Static<typeof KafkaLinkList>

/** Both namings of the flags: cloud SDKs read `is_*`, the platform's the others. Synonyms are texts here. */
export const KafkaLinkConfig = Type.Object({
  ...item('KafkaLinkConfigData'),
  cluster_id: Text,
  link_name: Text,
  name: Text,
  value: OrNull(Text),
  is_default: Type.Boolean(),
  is_read_only: Type.Boolean(),
  is_sensitive: Type.Boolean(),
  read_only: Type.Boolean(),
  sensitive: Type.Boolean(),
  source: choice(['DYNAMIC_CLUSTER_LINK_CONFIG', 'DEFAULT_CONFIG']),
  synonyms: Type.Array(Text),
})
export type KafkaLinkConfig = Static<typeof KafkaLinkConfig>
export const KafkaLinkConfigList = listOf('KafkaLinkConfigDataList', KafkaLinkConfig)
export type KafkaLinkConfigList = Static<typeof KafkaLinkConfigList>

export const mirrorStatuses = [
  'ACTIVE',
  'FAILED',
  'LINK_FAILED',
  'LINK_PAUSED',
  'PAUSED',
  'PENDING_STOPPED',
  'SOURCE_UNAVAILABLE',
  'STOPPED',
  'PENDING_MIRROR',
  'PENDING_SYNCHRONIZE',
  'PENDING_SETUP_FOR_RESTORE',
  'PENDING_RESTORE',
] as const
export type MirrorStatus = (typeof mirrorStatuses)[number]

export const mirrorTopicErrors = [
  'UNKNOWN',
  'NOT_SET',
  'NO_ERROR',
  'SOURCE_TOPIC_MAY_BE_DELETED',
  'SOURCE_TOPIC_ID_CHANGED',
  'SOURCE_PARTITIONS_DECREASED',
  'NON_MONOTONIC_LOG_APPEND_EPOCH',
  'UNEXPECTED_TRUNCATION',
  'UNSUPPORTED_MESSAGE_FORMAT',
  'NON_MONOTONIC_SOURCE_EPOCH',
  'ILLEGAL_STATE',
  'UNSUPPORTED_MIRROR_STATE',
] as const
export type MirrorTopicError = (typeof mirrorTopicErrors)[number]

export const CreateMirror = Type.Object({
  source_topic_name: Text,
  mirror_topic_name: given(Text),
  replication_factor: given(Type.Integer()),
  configs: given(Type.Array(ConfigInput)),
  /** Ours: takes over an existing topic that is an equal copy of its source. */
  adopt: given(Type.Boolean()),
})
export type CreateMirror = Static<typeof CreateMirror>

/**
 * Dense from partition 0, ascending. `lag` is in records. `last_source_fetch_offset` is −1 before the first fetch.
 * Ours: `lag_ms`, for how long the oldest of the missing records has been missing, by our clock; −1 when not known.
 */
export const MirrorLag = Type.Object({
  partition: Type.Integer(),
  lag: Type.Integer(),
  last_source_fetch_offset: Type.Integer(),
  lag_ms: Type.Optional(Type.Integer()),
})
export type MirrorLag = Static<typeof MirrorLag>

export const KafkaMirror = Type.Object({
  ...item('KafkaMirrorData'),
  link_name: Text,
  mirror_topic_name: Text,
  source_topic_name: Text,
  num_partitions: Type.Integer(),
  mirror_lags: Type.Array(MirrorLag),
  mirror_status: choice(mirrorStatuses),
  mirror_topic_error: choice(mirrorTopicErrors),
  state_time_ms: Type.Integer(),
  mirror_state_transition_errors: Type.Optional(Type.Array(TaskError)),
})
export type KafkaMirror = Static<typeof KafkaMirror>
export const KafkaMirrorList = listOf('KafkaMirrorDataList', KafkaMirror)
export type KafkaMirrorList = Static<typeof KafkaMirrorList>

/** The last part of `…/mirrors:VERB`, with the other names that it goes by. */
export const mirrorVerbs = {
  promote: [],
  failover: [],
  pause: [],
  resume: [],
  'reverse-and-start-mirror': ['promote-local-and-start-remote-mirror'],
  'reverse-and-pause-mirror': ['promote-local-and-pause-remote-mirror'],
  'truncate-and-restore': [],
  'unfence-source': [],
} as const satisfies Record<string, readonly string[]>
export type MirrorVerb = keyof typeof mirrorVerbs

export const AlterMirrors = Type.Object({
  mirror_topic_names: given(Type.Array(Text)),
  mirror_topic_name_pattern: given(Text),
  /** Ours, of promote alone: denies the source's writers, where rights allow. */
  fence_source: given(Type.Boolean()),
})
export type AlterMirrors = Static<typeof AlterMirrors>

/** An error needs both members, or clients print nothing; its code may be any of ours or an HTTP status. */
export const AlteredMirror = Type.Object({
  ...item('AlterMirrorsData'),
  mirror_topic_name: Text,
  error_code: OrNull(Type.Integer()),
  error_message: OrNull(Text),
  mirror_lags: Type.Array(MirrorLag),
  messages_truncated: OrNull(Type.Integer()),
  partition_level_truncation_data: OrNull(
    Type.Array(
      Type.Object({
        partition_id: Type.Integer(),
        offset_truncated_to: Type.Integer(),
        messages_truncated: Type.Integer(),
      }),
    ),
  ),
})
export type AlteredMirror = Static<typeof AlteredMirror>
export const AlteredMirrorList = listOf('KafkaAlterMirrorsDataList', AlteredMirror)
export type AlteredMirrorList = Static<typeof AlteredMirrorList>

export const CreateTopic = Type.Object({
  topic_name: Text,
  partitions_count: given(Type.Integer()),
  replication_factor: given(Type.Integer()),
  configs: given(Type.Array(ConfigInput)),
  validate_only: given(Type.Boolean()),
})
export type CreateTopic = Static<typeof CreateTopic>

export const PatchTopic = Type.Object({ partitions_count: Type.Integer() })
export type PatchTopic = Static<typeof PatchTopic>

export const KafkaTopic = Type.Object({
  ...item('KafkaTopic'),
  cluster_id: Text,
  topic_name: Text,
  is_internal: Type.Boolean(),
  replication_factor: Type.Integer(),
  partitions_count: Type.Integer(),
  partitions: Related,
  configs: Related,
  partition_reassignments: Related,
})
export type KafkaTopic = Static<typeof KafkaTopic>
export const KafkaTopicList = listOf('KafkaTopicList', KafkaTopic)
export type KafkaTopicList = Static<typeof KafkaTopicList>

/** Synonyms are objects here. */
export const KafkaTopicConfig = Type.Object({
  ...item('KafkaTopicConfig'),
  cluster_id: Text,
  topic_name: Text,
  name: Text,
  value: OrNull(Text),
  is_default: Type.Boolean(),
  is_read_only: Type.Boolean(),
  is_sensitive: Type.Boolean(),
  source: Text,
  synonyms: Type.Array(Type.Object({ name: Text, value: OrNull(Text), source: Text })),
})
export type KafkaTopicConfig = Static<typeof KafkaTopicConfig>
export const KafkaTopicConfigList = listOf('KafkaTopicConfigList', KafkaTopicConfig)
export type KafkaTopicConfigList = Static<typeof KafkaTopicConfigList>

export const KafkaPartition = Type.Object({
  ...item('KafkaPartition'),
  cluster_id: Text,
  topic_name: Text,
  partition_id: Type.Integer(),
  /** Missing while the partition has none. */
  leader: Type.Optional(Related),
  replicas: Related,
  reassignment: Related,
})
export type KafkaPartition = Static<typeof KafkaPartition>
export const KafkaPartitionList = listOf('KafkaPartitionList', KafkaPartition)
export type KafkaPartitionList = Static<typeof KafkaPartitionList>
