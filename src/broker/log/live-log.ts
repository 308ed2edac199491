import type { Checkpoint } from './checkpoint.ts'
import type { Commit, LogEnd } from './commit.ts'
import type { LogState } from './log-state.ts'
import type { LogRoom } from './room.ts'
import type { LogConfig } from './types.ts'

/** What the parts of one open log share. A log that is read again, or starts over, gets a new state and checkpoint. */
export interface LiveLog {
  readonly room: LogRoom
  readonly folder: string
  config: LogConfig
  state: LogState
  /** As it stands on disk; a failed attempt may have left a newer one. */
  checkpoint: Checkpoint
  /** Nobody sees records below it. */
  logStartOffset: number
  readonly commit: Commit
  /** The log start has moved. */
  readonly onStartMoved: () => void
}

export function endOf(state: LogState): LogEnd {
  return { offset: state.endOffset, segment: state.active, tail: state.active.tail() }
}
