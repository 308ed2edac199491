import type { Route } from '../route.ts'
import { clusterRoutes } from './clusters.ts'
import { linkConfigRoutes } from './link-configs.ts'
import { linkRoutes } from './links.ts'
import { mirrorVerbRoutes } from './mirror-verbs.ts'
import { mirrorVerifyRoute } from './mirror-verify.ts'
import { mirrorRoutes } from './mirrors.ts'
import type { V3Rooms } from './rooms.ts'
import { topicConfigRoutes } from './topic-configs.ts'
import { topicPartitionRoutes } from './topic-partitions.ts'
import { topicRoutes } from './topics.ts'

/** All of Confluent's dialect that is there. */
export function v3Routes(rooms: V3Rooms): Route[] {
  return [
    ...clusterRoutes(rooms),
    ...linkRoutes(rooms),
    ...linkConfigRoutes(rooms),
    ...mirrorRoutes(rooms),
    ...mirrorVerbRoutes(rooms),
    mirrorVerifyRoute(rooms),
    ...topicRoutes(rooms),
    ...topicConfigRoutes(rooms),
    ...topicPartitionRoutes(rooms),
  ]
}
