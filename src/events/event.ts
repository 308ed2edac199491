/** The four kinds that LXD's clients know; every event is of one of them. */
export const eventTypes = ['lifecycle', 'security', 'operation', 'logging'] as const

export type EventType = (typeof eventTypes)[number]

/** Who asked for it; all three are empty, and the address perhaps not, for a peer that nobody knows yet. */
export interface Requestor {
  username: string
  /** `tls`, `unix`, `bearer` or `oidc`. */
  protocol: string
  address: string
}

export interface LifecycleMetadata {
  /** Such as `cluster-link-created`. */
  action: string
  /** The URL of what it happened to. */
  source: string
  context?: Record<string, unknown>
  requestor?: Requestor
  name?: string
}

export interface SecurityMetadata {
  /** Such as `authz_fail:can_edit:/1.0`. */
  name: string
  level: 'info' | 'warning'
  description: string
  request_path?: string
  request_method?: string
  requestor?: Requestor & { user_agent?: string }
}

export interface LoggingMetadata {
  level: string
  message: string
  context: Record<string, unknown>
}

/** An operation as LXD's API shows it. */
export interface OperationView {
  id: string
  class: OperationClass
  description: string
  created_at: string
  updated_at: string
  status: OperationStatus
  status_code: number
  /** URLs by kind: what it works on. */
  resources: Record<string, string[]>
  metadata: Record<string, unknown> | null
  may_cancel: boolean
  err: string
  err_code: number
  child_count: number
  location: 'none'
  requestor?: Requestor
}

export type OperationClass = 'task' | 'websocket' | 'token'

/** LXD's codes: below 200 it goes on. */
export const operationStatuses = {
  Running: 103,
  Cancelling: 104,
  Success: 200,
  Failure: 400,
  Cancelled: 401,
} as const

export type OperationStatus = keyof typeof operationStatuses

interface EventOf<Type extends EventType, Metadata> {
  type: Type
  /** RFC 3339 with nanoseconds; no two events of one daemon share it, and later ones are greater. */
  timestamp: string
  metadata: Metadata
  location: 'none'
  project?: string
}

export type SecurityEvent = EventOf<'security', SecurityMetadata>

export type LinkspanEvent =
  | EventOf<'lifecycle', LifecycleMetadata>
  | SecurityEvent
  | EventOf<'operation', OperationView>
  | EventOf<'logging', LoggingMetadata>
