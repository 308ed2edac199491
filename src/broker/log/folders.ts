import { join } from 'node:path'
import { emptyCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { deletedName, isDeletedName, restartedName, restartName } from './layout.ts'
import type { LogRoom } from './room.ts'

/** A log that starts and ends at `offset`; its folder's name is durable once the room's folder is synced. */
export async function createLogFolder(room: LogRoom, folder: string, offset: number): Promise<void> {
  await room.files.makeFolder(folder)
  await writeCheckpoint(room.files, folder, emptyCheckpoint(offset))
}

/**
 * Puts an empty log that begins at `offset` in the place of another one: wholly or, when it fails or power is lost
 * before it resolves, perhaps not at all. After a failure only the folder can tell which.
 */
export async function replaceLogFolder(room: LogRoom, name: string, offset: number): Promise<void> {
  const { files, folder } = room
  const old = deletedName(name)
  await files.removeFolder(join(folder, restartName(name)))
  await createLogFolder(room, join(folder, restartName(name)), offset)
  await files.syncFolder(folder)
  await files.rename(join(folder, name), join(folder, old))
  try {
    await files.syncFolder(folder)
    await files.rename(join(folder, restartName(name)), join(folder, name))
  } catch (error) {
    await files.rename(join(folder, old), join(folder, name))
    throw error
  }
  await files.syncFolder(folder)
  room.trash.add(join(folder, old))
}

/** From now on nobody finds the log, also after a crash. */
export async function deleteLogFolder(room: LogRoom, name: string): Promise<void> {
  const old = deletedName(name)
  // Left by a restart that failed: without the log beside it, the next start would take it for the log.
  await room.files.removeFolder(join(room.folder, restartName(name)))
  await room.files.rename(join(room.folder, name), join(room.folder, old))
  await room.files.syncFolder(room.folder)
  room.trash.add(join(room.folder, old))
}

/** Finishes what a crash has interrupted, and returns the names of the logs that are there. */
export async function settleFolders(room: LogRoom): Promise<string[]> {
  const { files, folder } = room
  const names = new Set(await files.list(folder))
  // A name given just before a kill may still be lost; nothing is removed on the strength of such a one.
  await files.syncFolder(folder)
  const deleted = [...names].filter(isDeletedName)
  for (const name of [...names]) {
    const restarted = restartedName(name)
    if (restarted === undefined) continue
    if (names.has(restarted)) await files.removeFolder(join(folder, name))
    else {
      // The old log is out of the way: the new one was about to take its place.
      await files.rename(join(folder, name), join(folder, restarted))
      names.add(restarted)
    }
    names.delete(name)
  }
  await files.syncFolder(folder)
  for (const name of deleted) {
    names.delete(name)
    room.trash.add(join(folder, name))
  }
  return [...names]
}
