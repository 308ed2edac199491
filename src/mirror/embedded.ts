import { alterTopicConfigs } from '../kafka/admin/configs.ts'
import type { KafkaCluster } from '../kafka/cluster.ts'
import { mirrorConfigKey } from '../kafka/raw-append.ts'
import { unwrap } from '../kafka/rounds.ts'
import type { ClusterSpec } from '../transport/spec.ts'
import type { ReadOnlyPlan } from './plan/read-only.ts'
import type { MirrorRow } from './rows.ts'

/** Whether a cluster is our own embedded broker, which takes batches as they are at the offsets that they have. */
export function isEmbedded(spec: ClusterSpec): boolean {
  return spec.reach === 'kafka' && spec.socketPath !== undefined
}

export async function claimTopic(broker: KafkaCluster, { topic, mirrorId }: MirrorRow): Promise<ReadOnlyPlan> {
  unwrap((await alterTopicConfigs(broker, [{ name: topic, configs: { [mirrorConfigKey]: mirrorId } }]))[0])
  return { mode: 'refused-by-broker', reason: 'The embedded broker refuses all other writers', acls: [] }
}

/** Whatever of ours is still under way is refused from then on. */
export async function unclaimTopic(broker: KafkaCluster, { topic }: Pick<MirrorRow, 'topic'>): Promise<void> {
  unwrap((await alterTopicConfigs(broker, [{ name: topic, configs: { [mirrorConfigKey]: null } }]))[0])
}
