import type { Api } from '../api/api.ts'
import type { Dialect } from '../api/dialect.ts'
import { v3Dialect } from '../api/kafka-v3/dialect.ts'
import { v3Routes } from '../api/kafka-v3/routes.ts'
import { openapiDialect } from '../api/openapi.ts'
import type { Route } from '../api/route.ts'
import { type CertificateRooms, clusterCertificateRoutes } from '../api/v1/cluster-certificate.ts'
import { clusterLinkRoutes } from '../api/v1/cluster-links.ts'
import { v1Dialect } from '../api/v1/dialect.ts'
import { footprintRoutes } from '../api/v1/footprint.ts'
import { type BackupRooms, instanceRoutes } from '../api/v1/instances.ts'
import { type PulledRooms, pulledBackupRoutes } from '../api/v1/pulled-backups.ts'
import { v1CoreRoutes } from '../api/v1/routes.ts'
import { topicFenceRoutes } from '../api/v1/topic-fence.ts'
import type { Mirrors } from '../mirror/mirrors.ts'

export interface DialectRooms extends CertificateRooms, BackupRooms, PulledRooms {
  mirrors: Mirrors
  /** What stands around the handlers that change something. */
  settling: (routes: readonly Route[]) => Route[]
  /** Asked when a request comes. */
  api: () => Api
}

/** Every route that a daemon answers. */
export function daemonDialects(rooms: DialectRooms): Dialect[] {
  const { links, mirrors, operations, bus, clock, settling } = rooms
  const { kafkaClusterId } = rooms.server
  return [
    v1Dialect(
      settling([
        ...v1CoreRoutes(rooms),
        ...clusterLinkRoutes(rooms),
        ...clusterCertificateRoutes(rooms),
        ...instanceRoutes(rooms),
        ...pulledBackupRoutes(rooms),
        ...footprintRoutes({ mirrors }),
        ...topicFenceRoutes({ bus, mirrors }),
      ]),
    ),
    v3Dialect(settling(v3Routes({ links, mirrors, operations, bus, clock, kafkaClusterId }))),
    openapiDialect(rooms.api),
  ]
}
