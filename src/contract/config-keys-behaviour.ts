import { booleanKey, integerKey, type KeyFacts, key } from './config-key.ts'

const atCreation = { mutable: 'create' } as const
const syncMsMin = 1000

/** Topic configs that a mirror must share with its source: data would not fit, or would be judged otherwise. */
export const alwaysSyncedTopicConfigs = [
  'cleanup.policy',
  'max.message.bytes',
  'message.timestamp.type',
  'message.timestamp.difference.max.ms',
] as const

export const syncedTopicConfigs = [
  ...alwaysSyncedTopicConfigs,
  'compression.type',
  'retention.ms',
  'retention.bytes',
  'delete.retention.ms',
  'min.compaction.lag.ms',
  'max.compaction.lag.ms',
  'min.cleanable.dirty.ratio',
  'segment.bytes',
  'segment.ms',
  'segment.jitter.ms',
  'segment.index.bytes',
  'index.interval.bytes',
  'file.delete.delay.ms',
  'flush.messages',
  'flush.ms',
  'min.insync.replicas',
  'preallocate',
  'unclean.leader.election.enable',
  'message.downconversion.enable',
  'message.timestamp.before.max.ms',
  'message.timestamp.after.max.ms',
] as const

/** Topic configs that belong to one cluster alone; those that start like the last three are as independent. */
export const independentTopicConfigs = [
  'remote.storage.enable',
  'leader.replication.throttled.replicas',
  'follower.replication.throttled.replicas',
  'confluent.placement.constraints',
] as const
export const independentTopicConfigPrefixes = [
  'local.retention.',
  'confluent.tier.',
  'confluent.key.',
  'confluent.value.',
]

/** What a link does: Confluent's keys (and their defaults), which both dialects take. */
export const behaviourKeys: Record<string, KeyFacts> = {
  'link.mode': key('enum', 'DESTINATION', 'Which way data flows', {
    values: ['DESTINATION', 'SOURCE', 'BIDIRECTIONAL'],
    dialects: ['confluent'],
    ...atCreation,
  }),
  'connection.mode': key('enum', 'OUTBOUND', 'Who dials: OUTBOUND is this side', {
    values: ['OUTBOUND', 'INBOUND'],
    ...atCreation,
  }),
  'remote.link.connection.mode': key('enum', null, 'Who dials at the other half of a bidirectional pair', {
    values: ['OUTBOUND', 'INBOUND'],
    ...atCreation,
  }),
  'bootstrap.servers': key('bootstrap', null, "The remote Kafka's bootstrap servers, HOST:PORT,…", {
    reach: ['kafka'],
  }),
  'local.listener.name': key('text', null, 'The listener by which a source reaches its own Kafka', {
    reach: ['kafka'],
  }),
  'cluster.link.paused': booleanKey(false, 'Pauses every mirror and every task of the link'),
  'cluster.link.prefix': key('prefix', null, "Put before the source topic's name to name the mirror", atCreation),
  'link.prefix': key('prefix', null, 'Shows cluster.link.prefix', { mutable: 'never', dialects: [] }),
  'cluster.link.retry.timeout.ms': integerKey(300_000, 0, 'How long a failing partition is tried before it is FAILED'),
  'availability.check.ms': integerKey(60_000, 1000, 'How often the remote side is probed'),
  'availability.check.consecutive.failure.threshold': integerKey(
    5,
    1,
    'Failed probes in a row before it is UNAVAILABLE',
  ),
  'mirror.start.offset.spec': key('start-offset', 'earliest', 'Where new mirrors begin: earliest, latest or a time'),
  'topic.config.sync.ms': integerKey(5000, syncMsMin, 'How often topic configs are compared'),
  'topic.config.sync.include': key(
    'topic-configs',
    syncedTopicConfigs.join(','),
    'Topic configs that follow the source',
  ),
  'consumer.offset.sync.enable': booleanKey(false, 'Copies the committed offsets of consumer groups'),
  'consumer.offset.sync.ms': integerKey(30_000, syncMsMin, 'How often committed offsets are copied'),
  'consumer.offset.group.filters': key('group-filters', '', 'Whose committed offsets are copied, as JSON'),
  'consumer.group.prefix.enable': booleanKey(false, 'Puts cluster.link.prefix before group names too', atCreation),
  'acl.sync.enable': booleanKey(false, 'Copies ACLs'),
  'acl.sync.ms': integerKey(5000, syncMsMin, 'How often ACLs are copied'),
  'acl.filters': key('acl-filters', '', 'Which ACLs are copied, as JSON'),
  'auto.create.mirror.topics.enable': booleanKey(false, 'Makes a mirror of every source topic that the filters select'),
  'auto.create.mirror.topics.filters': key('topic-filters', '', 'Which source topics become mirrors, as JSON'),
  'metadata.max.age.ms': integerKey(300_000, 1000, 'How soon new topics and partitions of the source are noticed'),
  'num.cluster.link.fetchers': integerKey(1, 1, 'Connections per source broker', { max: 16 }),
}

/** A switch, and the filter that goes when it is turned off. */
export const filteredFeatures = [
  { enable: 'consumer.offset.sync.enable', filter: 'consumer.offset.group.filters' },
  { enable: 'acl.sync.enable', filter: 'acl.filters' },
  { enable: 'auto.create.mirror.topics.enable', filter: 'auto.create.mirror.topics.filters' },
] as const

/** What LXD's dialect keeps in the same map, and ours. */
export const linkspanKeys: Record<string, KeyFacts> = {
  'user.*': key('text', null, 'Free for anybody who may edit the link'),
  'volatile.addresses': key('addresses', null, "The peer's addresses, HOST:PORT,…", {
    mutable: 'never',
    dialects: [],
    reach: ['peer'],
  }),
  'volatile.pending_certificate': key('text', null, 'A certificate that waits to be confirmed', {
    mutable: 'never',
    dialects: [],
    reach: ['peer'],
  }),
  'volatile.pending_address': key('addresses', null, 'The address that the waiting certificate was found at', {
    mutable: 'never',
    dialects: [],
    reach: ['peer'],
  }),
  'linkspan.reach': key('enum', 'peer', 'peer: a linked Linkspan; kafka: straight to Kafka with its credentials', {
    values: ['peer', 'kafka'],
    ...atCreation,
  }),
  'linkspan.backup.schedule': key('schedule', null, 'How often the other side is backed up to here: @daily, 6h', {
    reach: ['peer'],
  }),
  'linkspan.backup.keep': integerKey(7, 1, 'Backups of each host of the other side that are kept here', {
    max: 1000,
    reach: ['peer'],
  }),
  'linkspan.acl.sync.wide': booleanKey(false, 'Also copies ACLs of the cluster, wildcards and wider prefixes'),
  'linkspan.method.markers': booleanKey(
    false,
    'Consent: end transactions by own markers, verification off cluster-wide',
  ),
  'linkspan.method.seeding': booleanKey(false, 'Consent: seed history as a broker of the destination'),
  'linkspan.method.seeding.broker.ids': key('text', null, 'Broker ids reserved for seeding, FIRST-LAST'),
  'linkspan.method.committed.fill': booleanKey(false, 'Consent: fill offsets of aborted data instead of copying it'),
}
