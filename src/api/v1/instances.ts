import { machine } from 'node:os'
import type { Backups } from '../../backup/backups.ts'
import { LinkspanError } from '../../base/errors.ts'
import { type EntityRef, entityUrl } from '../../contract/entities.ts'
import { Instance, InstanceBackup, InstanceBackupsPost, Operation } from '../../contract/v1.ts'
import { listOf } from '../../contract/v1-shape.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route, type RouteAccess } from '../route.ts'
import { exported, showBackup } from './backup-view.ts'
import { started, sync } from './envelope.ts'
import { listAnswer, recursionQuery, shownWithEntitlements, wantsObjects } from './listing.ts'
import { auditOf, type V1Rooms } from './rooms.ts'

export interface BackupRooms extends V1Rooms {
  backups: Backups
}

const collection = '/1.0/instances'
const item = `${collection}/:name`
const backupsPath = `${item}/backups`
const backupPath = `${backupsPath}/:backup`

/** The one instance is this daemon, by its host's name; its backups hold what a lost host is made again from. */
export function instanceRoutes(rooms: BackupRooms): Route[] {
  return [
    listRoute(rooms),
    getRoute(rooms),
    listBackupsRoute(rooms),
    createBackupRoute(rooms),
    getBackupRoute(rooms),
    deleteBackupRoute(rooms),
    exportRoute(rooms),
  ]
}

function needs(entitlement: 'can_view' | 'can_manage_backups'): RouteAccess {
  return { kind: 'entitlement', entitlement, entity: refOf }
}

function refOf(request: ApiRequest): EntityRef {
  return { type: 'instance', name: request.param('name') }
}

/** Throws `not-found` for any other than this daemon, also for those who may see all that there are. */
function requireHere({ server }: V1Rooms, request: ApiRequest): string {
  const name = request.param('name')
  if (name === server.name) return name
  throw new LinkspanError('not-found', `Instance ${JSON.stringify(name)} not found: this one is "${server.name}"`)
}

function listRoute(rooms: BackupRooms): Route {
  return defineRoute({
    method: 'GET',
    path: collection,
    summary: 'List instances: this daemon',
    access: { kind: 'authenticated' },
    query: recursionQuery,
    result: listOf(Instance),
    handler: (request) => {
      const ref: EntityRef = { type: 'instance', name: rooms.server.name }
      return listAnswer(request, 'instance', [{ ref, url: entityUrl(ref), show: () => show(rooms) }])
    },
  })
}

function getRoute(rooms: BackupRooms): Route {
  return defineRoute({
    method: 'GET',
    path: item,
    summary: 'Show an instance',
    access: needs('can_view'),
    result: Instance,
    handler: (request) => {
      requireHere(rooms, request)
      return sync(shownWithEntitlements(request, refOf(request), show(rooms)))
    },
  })
}

function show({ server }: V1Rooms): Instance {
  const { name } = server
  const empty = { description: '', config: {}, devices: {}, profiles: [], ephemeral: false, stateful: false }
  const what = { name, status: 'Running', status_code: 103, type: 'container', architecture: machine() }
  return { ...what, ...empty, location: 'none', project: 'default' }
}

function listBackupsRoute(rooms: BackupRooms): Route {
  return defineRoute({
    method: 'GET',
    path: backupsPath,
    summary: 'List the backups of an instance that are stored on it',
    access: needs('can_manage_backups'),
    query: { recursion: '1: the objects themselves instead of their URLs' },
    result: listOf(InstanceBackup),
    handler: async (request) => {
      const instance = requireHere(rooms, request)
      const found = await rooms.backups.list()
      return sync(wantsObjects(request) ? found.map(showBackup) : found.map(({ name }) => urlOf(instance, name)))
    },
  })
}

function createBackupRoute(rooms: BackupRooms): Route {
  const { backups, operations } = rooms
  return defineRoute({
    method: 'POST',
    path: backupsPath,
    summary: "Back an instance up, sealed for the server's recovery key",
    access: needs('can_manage_backups'),
    body: InstanceBackupsPost,
    answers: [202],
    result: Operation,
    handler: async (request) => {
      const instance = requireHere(rooms, request)
      const { name, expires_at: expiresAt } = request.body ?? {}
      const wanted = { ...(name ? { name } : {}), ...(expiresAt ? { expiresAt } : {}) }
      await backups.check(wanted)
      const resources = { instances: [entityUrl(refOf(request))] }
      const operation = operations.run(
        { class: 'task', description: 'Backing up instance', resources, requestor: request.requestor },
        async () => {
          const stored = await backups.create(wanted)
          auditOf(rooms).lifecycle(request, 'instance-backup-created', urlOf(instance, stored.name))
          return { ...showBackup(stored) }
        },
      )
      return started(operation.view)
    },
  })
}

function getBackupRoute(rooms: BackupRooms): Route {
  return defineRoute({
    method: 'GET',
    path: backupPath,
    summary: 'Show a backup of an instance',
    access: needs('can_manage_backups'),
    result: InstanceBackup,
    handler: async (request) => {
      requireHere(rooms, request)
      return sync(showBackup(await rooms.backups.get(request.param('backup'))))
    },
  })
}

function deleteBackupRoute(rooms: BackupRooms): Route {
  const { backups, operations } = rooms
  return defineRoute({
    method: 'DELETE',
    path: backupPath,
    summary: 'Delete a backup of an instance',
    access: needs('can_manage_backups'),
    answers: [202],
    result: Operation,
    handler: async (request) => {
      const instance = requireHere(rooms, request)
      const { name } = await backups.get(request.param('backup'))
      const resources = { instances: [entityUrl(refOf(request))] }
      const operation = operations.run(
        { class: 'task', description: 'Deleting instance backup', resources, requestor: request.requestor },
        async () => {
          await backups.delete(name)
          auditOf(rooms).lifecycle(request, 'instance-backup-deleted', urlOf(instance, name))
          return null
        },
      )
      return started(operation.view)
    },
  })
}

function exportRoute(rooms: BackupRooms): Route {
  return defineRoute({
    method: 'GET',
    path: `${backupPath}/export`,
    summary: 'Get the file of a backup; only the secret of the recovery key opens it',
    access: needs('can_manage_backups'),
    isFile: true,
    handler: async (request) => {
      const instance = requireHere(rooms, request)
      const name = request.param('backup')
      const bytes = await rooms.backups.read(name)
      auditOf(rooms).lifecycle(request, 'instance-backup-retrieved', urlOf(instance, name))
      return exported(name, bytes)
    },
  })
}

function urlOf(instance: string, backup: string): string {
  return `${entityUrl({ type: 'instance', name: instance })}/backups/${encodeURIComponent(backup)}`
}
