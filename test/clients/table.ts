import { allConfigs, groupOffsets, insights, offsetsOfTopics, performanceTools, topicLife } from './checks/admin.ts'
import { refusals, topicsNotThere } from './checks/errors.ts'
import { cooperativeGroups, deadMembers, mixedGroup, rebalancedGroups, staticMembers } from './checks/groups.ts'
import { accessControl, brokerSideGroups, compaction, recompression, transactions } from './checks/limits.ts'
import { everyoneReadsEveryone, largeRecords, logAppendTime } from './checks/records.ts'
import type { Check, SharedCheck } from './steps.ts'

/** Everything that is asked of both brokers. */
export const sharedChecks: readonly SharedCheck[] = [everyoneReadsEveryone, mixedGroup]

export const checks: readonly Check[] = [
  topicLife,
  offsetsOfTopics,
  rebalancedGroups,
  cooperativeGroups,
  staticMembers,
  deadMembers,
  groupOffsets,
  refusals,
  topicsNotThere,
  largeRecords,
  logAppendTime,
  insights,
  allConfigs,
  performanceTools,
  transactions,
  compaction,
  recompression,
  accessControl,
  brokerSideGroups,
]
