import type { Links } from '../../link/links.ts'
import type { V1Rooms } from './rooms.ts'

/** What the handlers of cluster links work with. */
export interface LinkRooms extends V1Rooms {
  links: Links
}

export const clusterLinksPath = '/1.0/cluster/links'
