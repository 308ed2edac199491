import type { HttpCall } from './http.ts'
import { clusterCalls, linkCalls, linkConfigCalls, mirrorCalls, topicCalls, V3Requests } from './kafka-client.ts'
import {
  backupCalls,
  certificateCalls,
  clusterLinkCalls,
  groupCalls,
  identityCalls,
  memberCalls,
  operationCalls,
  permissionCalls,
  serverCalls,
  topicFenceCalls,
  V1Requests,
  warningCalls,
} from './v1-client.ts'

export interface ClientOptions {
  /** Of the Kafka that is meant; asked for when it is first needed otherwise. */
  kafkaClusterId?: string
}

export type Client = ReturnType<typeof createClient>

/**
 * Everything that the REST APIs offer, typed. Errors are `LinkspanError`s with the text of the daemon; what `http`
 * throws is passed on.
 */
export function createClient(http: HttpCall, options: ClientOptions = {}) {
  const v1 = new V1Requests(http)
  const v3 = new V3Requests(http, options.kafkaClusterId)
  return {
    /** For resources that have no method here. */
    v1,
    v3,
    server: serverCalls(v1),
    groups: groupCalls(v1),
    identities: identityCalls(v1),
    permissions: permissionCalls(v1),
    clusterLinks: clusterLinkCalls(v1),
    backups: backupCalls(v1),
    members: memberCalls(v1),
    certificates: certificateCalls(v1),
    warnings: warningCalls(v1),
    operations: operationCalls(v1),
    topicFences: topicFenceCalls(v1),
    kafka: {
      clusters: clusterCalls(v3),
      links: linkCalls(v3),
      configs: linkConfigCalls(v3),
      mirrors: mirrorCalls(v3),
      topics: topicCalls(v3),
    },
  }
}
