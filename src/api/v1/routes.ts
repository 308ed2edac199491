import type { Route } from '../route.ts'
import { explainRoutes } from './auth-explain.ts'
import { authGroupRoutes } from './auth-groups.ts'
import { certificateRoutes } from './certificates.ts'
import { clusterRoutes } from './cluster.ts'
import { eventRoutes } from './events.ts'
import { identityRoutes } from './identities.ts'
import { operationRoutes } from './operations.ts'
import { permissionRoutes } from './permissions.ts'
import type { V1Rooms } from './rooms.ts'
import { serverRoutes } from './server.ts'
import { warningRoutes } from './warnings.ts'

/** The resources of `/1.0` that need nothing but who is who. */
export function v1CoreRoutes(rooms: V1Rooms): Route[] {
  return [
    ...serverRoutes(rooms),
    ...clusterRoutes(rooms),
    ...authGroupRoutes(rooms),
    ...identityRoutes(rooms),
    ...certificateRoutes(rooms),
    ...permissionRoutes(rooms),
    ...explainRoutes(rooms),
    ...eventRoutes(rooms),
    ...operationRoutes(rooms),
    ...warningRoutes(rooms),
  ]
}
