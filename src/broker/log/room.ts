import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Files } from './files.ts'
import type { IndexCache } from './index-cache.ts'
import type { Limiter } from './limiter.ts'
import type { OpenFiles } from './open-files.ts'
import type { ReadBuffers } from './read-buffers.ts'
import type { Staging } from './staging.ts'
import type { Trash } from './trash.ts'

/** What all logs of a broker share. */
export interface LogRoom {
  /** The folder in which every log has one of its own. */
  readonly folder: string
  readonly files: Files
  readonly openFiles: OpenFiles
  readonly indexes: IndexCache
  readonly buffers: ReadBuffers
  readonly staging: Staging
  /** Syncs at a time, of all logs. */
  readonly syncs: Limiter
  readonly trash: Trash
  readonly clock: Clock
  readonly log: Log
  readonly producerExpirationMs: number
}
