import type { Readable } from 'node:stream'
import type { Static, TSchema } from 'typebox'
import type { WebSocket } from 'ws'
import { assert } from '../base/errors.ts'
import { type Entitlement, type EntityRef, type EntityType, isEntitlementOf } from '../contract/entities.ts'
import type { ApiRequest } from './request.ts'

/**
 * What a route needs of its caller. `open`: strangers reach the handler. `authenticated`: whoever is known, and the
 * handler shows only what that one may see, or judges by `request.require`. `entitlement`: judged before the body is
 * read.
 */
export type RouteAccess = { kind: 'open' } | { kind: 'authenticated' } | EntitlementAccess

export interface EntitlementAccess {
  kind: 'entitlement'
  entitlement: Entitlement
  entity: (request: ApiRequest) => EntityRef
}

/** What goes back. A body that is neither text, bytes nor stream is sent as JSON. */
export interface Answer {
  status: number
  headers?: Record<string, string>
  body?: unknown
}

export type RouteMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface RouteDefinition<Body extends TSchema> {
  method: RouteMethod
  /** As Fastify writes it: `/1.0/auth/groups/:name`; two colons are one that is meant literally. */
  path: string
  /** For the published description. */
  summary: string
  access: RouteAccess
  body?: Body
  /** Query parameters, by name, for the published description. */
  query?: Record<string, string>
  /** What `metadata`, or the whole body, looks like, for the published description. */
  result?: TSchema
  /** The answer is a file, in no envelope. */
  isFile?: boolean
  /** The statuses of success, for the published description; 200 unless told. */
  answers?: readonly number[]
  bodyBytesMax?: number
  /** Throws to refuse a request before its body is read or its socket is opened. */
  check?: (request: ApiRequest) => void
  handler: (request: ApiRequest<Static<Body>>) => Promise<Answer> | Answer
  /** Given to a route that answers WebSocket upgrades; `handler` then answers requests that are none. */
  socket?: (request: ApiRequest, socket: WebSocket) => void
}

export type Route = Omit<RouteDefinition<TSchema>, 'handler'> & {
  handler: (request: ApiRequest<never>) => Promise<Answer> | Answer
}

/** The only way to make a route; see `checkRoute`. */
export function defineRoute<Body extends TSchema>(definition: RouteDefinition<Body>): Route {
  return definition as unknown as Route
}

/** Throws for a route that does not say what it needs, so that the daemon does not start with it. */
export function checkRoute(route: Route): void {
  const name = `${route.method} ${route.path}`
  const access = route.access as RouteAccess | undefined
  assert(access !== undefined, `the route ${name} does not declare what it needs of its caller`)
  const kinds = ['open', 'authenticated', 'entitlement']
  assert(kinds.includes(access.kind), `the route ${name} declares an unknown kind of access`)
  if (access.kind !== 'entitlement') return
  assert(typeof access.entity === 'function', `the route ${name} does not say which entity it is about`)
  assert(typeof access.entitlement === 'string', `the route ${name} names no entitlement`)
  checkEntitlement({ type: entityTypeOf(access), name: '' }, access.entitlement)
}

/** What kind of entity a route is about: the same for all its requests, so it is asked with one that names nothing. */
export function entityTypeOf(access: EntitlementAccess): EntityType {
  const nothing = { param: () => '-', query: () => undefined } as unknown as ApiRequest
  return access.entity(nothing).type
}

/** Throws for an entitlement that the entity's type does not have, which would refuse everybody. */
export function checkEntitlement(entity: EntityRef, entitlement: Entitlement): void {
  assert(isEntitlementOf(entity.type, entitlement), `a ${entity.type} has no entitlement ${entitlement}`)
}

export function isStream(body: unknown): body is Readable {
  return typeof (body as Readable | undefined)?.pipe === 'function'
}
