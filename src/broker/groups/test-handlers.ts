import { offsetCommitHandler } from '../handlers/08-offset-commit.ts'
import { offsetFetchHandler } from '../handlers/09-offset-fetch.ts'
import { findCoordinatorHandler } from '../handlers/10-find-coordinator.ts'
import { joinGroupHandler } from '../handlers/11-join-group.ts'
import { heartbeatHandler } from '../handlers/12-heartbeat.ts'
import { leaveGroupHandler } from '../handlers/13-leave-group.ts'
import { syncGroupHandler } from '../handlers/14-sync-group.ts'
import { describeGroupsHandler } from '../handlers/15-describe-groups.ts'
import { listGroupsHandler } from '../handlers/16-list-groups.ts'
import { deleteGroupsHandler } from '../handlers/42-delete-groups.ts'
import { offsetDeleteHandler } from '../handlers/47-offset-delete.ts'
import type { Handler } from '../handlers/handler.ts'

/** Those of this room. */
export const groupHandlers: readonly Handler[] = [
  offsetCommitHandler,
  offsetFetchHandler,
  findCoordinatorHandler,
  joinGroupHandler,
  heartbeatHandler,
  leaveGroupHandler,
  syncGroupHandler,
  describeGroupsHandler,
  listGroupsHandler,
  deleteGroupsHandler,
  offsetDeleteHandler,
]
