import { brokerHeapMb, scriptFlags } from './brokers.ts'
import { mirrorMakerConsumer, mirrorMakerProducer, mirrorMakerTasks } from './mirror-maker.ts'
import { partitionCount } from './source-topic.ts'

/** What has to be told with every figure, so that others can judge whether the comparison was fair. */
export const fairness = {
  brokers: { count: 2, nodesEach: 1, heapMb: brokerHeapMb, flags: scriptFlags, security: 'plaintext on loopback' },
  topic: { partitions: partitionCount, replicationFactor: 1, key: null, fresh: 'for every run' },
  sourceData: 'hot in the page cache',
  ours: {
    acks: 1,
    settingsTried: 1,
    settings: 'defaults',
    security: 'plaintext; TLS 1.3 between the ends of a tunnel',
  },
  mirrorMaker: {
    acks: 'all',
    settingsTried: 1,
    tasks: mirrorMakerTasks,
    consumer: mirrorMakerConsumer,
    producer: { ...mirrorMakerProducer, 'compression.type': 'that of the source' },
    checked: 'in its log',
    left: 'heartbeats, checkpoints and offset syncs on, as by default',
  },
  order: 'tunnel, direct, MirrorMaker 2, and again',
  window: 'from the last sample without a record at the destination to the first with all; starts are outside',
}
