import { produceHandler } from './00-produce.ts'
import { fetchHandler } from './01-fetch.ts'
import { listOffsetsHandler } from './02-list-offsets.ts'
import { metadataHandler } from './03-metadata.ts'
import { offsetCommitHandler } from './08-offset-commit.ts'
import { offsetFetchHandler } from './09-offset-fetch.ts'
import { findCoordinatorHandler } from './10-find-coordinator.ts'
import { joinGroupHandler } from './11-join-group.ts'
import { heartbeatHandler } from './12-heartbeat.ts'
import { leaveGroupHandler } from './13-leave-group.ts'
import { syncGroupHandler } from './14-sync-group.ts'
import { describeGroupsHandler } from './15-describe-groups.ts'
import { listGroupsHandler } from './16-list-groups.ts'
import { saslHandshakeHandler } from './17-sasl-handshake.ts'
import { apiVersionsHandler } from './18-api-versions.ts'
import { createTopicsHandler } from './19-create-topics.ts'
import { deleteTopicsHandler } from './20-delete-topics.ts'
import { deleteRecordsHandler } from './21-delete-records.ts'
import { initProducerIdHandler } from './22-init-producer-id.ts'
import { offsetForLeaderEpochHandler } from './23-offset-for-leader-epoch.ts'
import { describeConfigsHandler } from './32-describe-configs.ts'
import { alterConfigsHandler } from './33-alter-configs.ts'
import { describeLogDirsHandler } from './35-describe-log-dirs.ts'
import { saslAuthenticateHandler } from './36-sasl-authenticate.ts'
import { createPartitionsHandler } from './37-create-partitions.ts'
import { deleteGroupsHandler } from './42-delete-groups.ts'
import { incrementalAlterConfigsHandler } from './44-incremental-alter-configs.ts'
import { offsetDeleteHandler } from './47-offset-delete.ts'
import { describeClusterHandler } from './60-describe-cluster.ts'
import { describeProducersHandler } from './61-describe-producers.ts'
import type { Handler } from './handler.ts'

/** By Kafka's API key. */
export type HandlerTable = ReadonlyMap<number, Handler>

/** Every API that this broker speaks, in the order of Kafka's keys; ApiVersions tells of them by itself. */
const handlers: readonly Handler[] = [
  produceHandler, // 0
  fetchHandler, // 1
  listOffsetsHandler, // 2
  metadataHandler, // 3
  offsetCommitHandler, // 8
  offsetFetchHandler, // 9
  findCoordinatorHandler, // 10
  joinGroupHandler, // 11
  heartbeatHandler, // 12
  leaveGroupHandler, // 13
  syncGroupHandler, // 14
  describeGroupsHandler, // 15
  listGroupsHandler, // 16
  saslHandshakeHandler, // 17
  createTopicsHandler, // 19
  deleteTopicsHandler, // 20
  deleteRecordsHandler, // 21
  initProducerIdHandler, // 22
  offsetForLeaderEpochHandler, // 23
  describeConfigsHandler, // 32
  alterConfigsHandler, // 33
  describeLogDirsHandler, // 35
  saslAuthenticateHandler, // 36
  createPartitionsHandler, // 37
  deleteGroupsHandler, // 42
  incrementalAlterConfigsHandler, // 44
  offsetDeleteHandler, // 47
  describeClusterHandler, // 60
  describeProducersHandler, // 61
]

export const brokerHandlers: HandlerTable = createHandlerTable(handlers)

/** Adds ApiVersions to the handlers. */
export function createHandlerTable(ownHandlers: readonly Handler[]): HandlerTable {
  const all: Handler[] = [...ownHandlers, apiVersionsHandler(() => all)]
  return new Map(all.map((handler) => [handler.api.key, handler]))
}
