import type { KafkaVersion } from './jars.ts'
import type { Properties } from './properties.ts'

export interface NodePorts {
  nodeId: number
  /** CLIENT is what the test's clients use, INTERNAL the brokers among themselves, CONTROLLER the quorum. */
  client: number
  internal: number
  controller: number
}

/** The properties of one combined node (broker and controller) of a small, quick test cluster. */
export function nodeProperties(
  node: NodePorts,
  all: readonly NodePorts[],
  { version, advertised, folder }: { version: KafkaVersion; advertised: string; folder: string },
): Properties {
  const copies = String(Math.min(all.length, 3))
  const insync = String(Math.min(all.length, 2))
  return {
    'process.roles': 'broker,controller',
    'node.id': String(node.nodeId),
    'controller.quorum.voters': all.map(({ nodeId, controller }) => `${nodeId}@127.0.0.1:${controller}`).join(','),
    listeners: [
      `CLIENT://127.0.0.1:${node.client}`,
      `INTERNAL://127.0.0.1:${node.internal}`,
      `CONTROLLER://127.0.0.1:${node.controller}`,
    ].join(','),
    'advertised.listeners': `CLIENT://${advertised},INTERNAL://127.0.0.1:${node.internal}`,
    'log.dirs': folder,
    'default.replication.factor': copies,
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': '0',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': copies,
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': insync,
    'log.cleaner.dedupe.buffer.size': '2097152',
    'num.network.threads': '2',
    'num.io.threads': '4',
    // A broker that died is noticed, and one that was killed may register again, within 3 s instead of 9.
    'broker.heartbeat.interval.ms': '500',
    'broker.session.timeout.ms': '3000',
    ...(version.startsWith('3.') ? {} : shareState(copies, insync)),
  }
}

function shareState(copies: string, insync: string): Properties {
  return {
    'share.coordinator.state.topic.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': insync,
  }
}
