import { verifyBackup } from '../../backup/file.ts'
import type { BackupPuller } from '../../backup/pull.ts'
import { entityUrl } from '../../contract/entities.ts'
import { BackupProof, InstanceBackup, Operation } from '../../contract/v1.ts'
import { listOf } from '../../contract/v1-shape.ts'
import { type LinkRow, linkRef, pinOf } from '../../link/rows.ts'
import { isPinned } from '../../transport/pinned.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route, type RouteAccess } from '../route.ts'
import { exported, showPulled } from './backup-view.ts'
import { clusterLinksPath, type LinkRooms } from './cluster-link-rooms.ts'
import { done, started, sync } from './envelope.ts'
import { wantsObjects } from './listing.ts'
import { auditOf } from './rooms.ts'

export interface PulledRooms extends LinkRooms {
  puller: BackupPuller
}

const collection = `${clusterLinksPath}/:name/backups`
const item = `${collection}/:backup`

/** Backups of the other side of a link that were brought here; what is in them is the other side's. */
export function pulledBackupRoutes(rooms: PulledRooms): Route[] {
  return [
    listRoute(rooms),
    pullRoute(rooms),
    getRoute(rooms),
    deleteRoute(rooms),
    exportRoute(rooms),
    verifyRoute(rooms),
  ]
}

function needs(entitlement: 'can_view' | 'can_edit'): RouteAccess {
  return { kind: 'entitlement', entitlement, entity: refOf }
}

function refOf(request: ApiRequest) {
  return { type: 'cluster_link', name: request.param('name') } as const
}

function folderOf({ links, puller }: PulledRooms, request: ApiRequest) {
  return puller.folder(links.require(request.param('name')))
}

function listRoute(rooms: PulledRooms): Route {
  return defineRoute({
    method: 'GET',
    path: collection,
    summary: 'List the backups of the other side that were pulled over a cluster link',
    access: needs('can_view'),
    query: { recursion: '1: the objects themselves instead of their URLs' },
    result: listOf(InstanceBackup),
    handler: async (request) => {
      const link = rooms.links.require(request.param('name'))
      const found = await rooms.puller.folder(link).list()
      return sync(wantsObjects(request) ? found.map(showPulled) : found.map(({ name }) => urlOf(link, name)))
    },
  })
}

function pullRoute(rooms: PulledRooms): Route {
  const { links, puller, operations } = rooms
  return defineRoute({
    method: 'POST',
    path: collection,
    summary: 'Have the other side of a cluster link backed up, and bring that here',
    access: needs('can_edit'),
    answers: [202],
    result: Operation,
    handler: (request) => {
      const link = links.require(request.param('name'))
      const resources = { cluster_links: [entityUrl(linkRef(link))] }
      const operation = operations.run(
        { class: 'task', description: 'Pulling backups', resources, requestor: request.requestor },
        async () => {
          const pulled = await puller.pull(link)
          for (const { name } of pulled)
            auditOf(rooms).lifecycle(request, 'cluster-link-backup-pulled', urlOf(link, name))
          return { backups: pulled.map(showPulled) }
        },
      )
      return started(operation.view)
    },
  })
}

function getRoute(rooms: PulledRooms): Route {
  return defineRoute({
    method: 'GET',
    path: item,
    summary: 'Show a backup that was pulled',
    access: needs('can_view'),
    result: InstanceBackup,
    handler: async (request) => sync(showPulled(await folderOf(rooms, request).require(request.param('backup')))),
  })
}

function deleteRoute(rooms: PulledRooms): Route {
  return defineRoute({
    method: 'DELETE',
    path: item,
    summary: 'Delete a backup that was pulled',
    access: needs('can_edit'),
    handler: async (request) => {
      await folderOf(rooms, request).delete(request.param('backup'))
      return done()
    },
  })
}

function exportRoute(rooms: PulledRooms): Route {
  return defineRoute({
    method: 'GET',
    path: `${item}/export`,
    summary: 'Get the file of a backup that was pulled',
    access: needs('can_edit'),
    isFile: true,
    handler: async (request) => {
      const name = request.param('backup')
      return exported(name, await folderOf(rooms, request).read(name))
    },
  })
}

function verifyRoute(rooms: PulledRooms): Route {
  return defineRoute({
    method: 'GET',
    path: `${item}/verify`,
    summary: 'Prove that a backup that was pulled is whole, and signed by the other side',
    access: needs('can_view'),
    result: BackupProof,
    handler: async (request) => {
      const { peer, ...link } = rooms.links.require(request.param('name'))
      const folder = rooms.puller.folder(link)
      const stored = await folder.require(request.param('backup'))
      const { facts, digest } = verifyBackup(await folder.read(stored.name))
      const current = peer !== undefined && isPinned(pinOf(peer), facts.fingerprint)
      return sync({ ...showPulled(stored), digest, current })
    },
  })
}

function urlOf(link: Pick<LinkRow, 'name'>, backup: string): string {
  return `${entityUrl(linkRef(link))}/backups/${encodeURIComponent(backup)}`
}
