import type { RequestListener, Server } from 'node:http'
import type { Socket } from 'node:net'
import swagger from '@fastify/swagger'
import websocket from '@fastify/websocket'
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import { subjectOf } from '../access/snapshot.ts'
import { explainError, isLinkspanError, LinkspanError } from '../base/errors.ts'
import type { Caller } from '../transport/caller.ts'
import type { ApiOptions } from './api.ts'
import { acceptBodies } from './bodies.ts'
import { guardBrowser } from './browser-guard.ts'
import type { Dialect } from './dialect.ts'
import { originOf, RateLimiter } from './rate-limiter.ts'
import { ApiRequest } from './request.ts'
import {
  type Answer,
  checkRoute,
  entityTypeOf,
  isStream,
  type Route,
  type RouteAccess,
  type RouteMethod,
} from './route.ts'

const bodyBytesMax = 1024 * 1024
const pathPartCharactersMax = 4000
const socketFrameBytesMax = 64 * 1024
/** For strangers: every request costs us something, and a wrong token should cost them more. */
const strangersLimit = { perSecond: 50, burst: 200 }
const strangersWriteLimit = { perSecond: 5, burst: 40 }
const refusalsLimit = { perSecond: 5, burst: 50 }

const methods: readonly RouteMethod[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

interface Frame {
  options: ApiOptions
  callers: WeakMap<Socket, Caller>
  requests: WeakMap<FastifyRequest, ApiRequest>
  reads: RateLimiter
  writes: RateLimiter
  refusals: RateLimiter
}

/** Fastify with the dialects' routes in it, each judged before its handler runs. */
export async function buildApp(
  options: ApiOptions,
  callers: WeakMap<Socket, Caller>,
  makeServer: (handler: RequestListener) => Server,
): Promise<FastifyInstance> {
  const { clock, dialects } = options
  const frame: Frame = {
    options,
    callers,
    requests: new WeakMap(),
    reads: new RateLimiter(strangersLimit, clock),
    writes: new RateLimiter(strangersWriteLimit, clock),
    refusals: new RateLimiter(refusalsLimit, clock),
  }
  const app = fastify({
    serverFactory: (handler) => makeServer(handler as RequestListener),
    bodyLimit: bodyBytesMax,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: pathPartCharactersMax },
    rewriteUrl: (request) => rewriteUrl(request.url ?? '/'),
    // Texts stay texts and unknown members are ignored: what a client means is judged by the handlers.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: false } },
    frameworkErrors: (error, request, reply) => {
      const limited = thrownBy(() => limitUnknown(frame, request, reply))
      void sendError(frame, dialectOf(dialects, request), limited ?? error, request, reply)
    },
  })
  // Answers are made text by `send`: their schemas only describe them, so no serialiser is compiled from them.
  app.setSerializerCompiler(() => (body) => JSON.stringify(body))
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Linkspan', version: options.version } },
  })
  await app.register(websocket, { options: { maxPayload: socketFrameBytesMax, perMessageDeflate: false } })
  app.addHook('onRoute', (route) => {
    if (!route.config || !('linkspan' in route.config)) throw new Error(`${route.url} was not made by defineRoute`)
  })
  for (const dialect of dialects) await app.register(async (scope) => addDialect(frame, scope, dialect))
  app.setErrorHandler((error: FastifyError, request, reply) => {
    return sendError(frame, dialectOf(dialects, request), error, request, reply)
  })
  app.setNotFoundHandler((request, reply) => {
    limitUnknown(frame, request, reply)
    return send(reply, dialectOf(dialects, request).onUnknownRoute())
  })
  await app.ready()
  return app
}

/** `/v3` is another name of `/kafka/v3`, where a trailing slash is forgiven; nowhere else. */
function rewriteUrl(url: string): string {
  const [, path = '', query = ''] = /^([^?]*)(.*)$/s.exec(url) ?? []
  const kafka = /^(\/kafka)?\/v3(?=\/|$)/.exec(path)
  if (!kafka) return url
  return `/kafka/v3${path.slice(kafka[0].length).replace(/\/+$/, '')}${query}`
}

function dialectOf(dialects: readonly Dialect[], request: FastifyRequest): Dialect {
  const under = (prefix: string) => request.url === prefix || /^[/?]/.test(request.url.slice(prefix.length))
  const found = dialects.find(({ prefixes }) => {
    return prefixes.some((prefix) => request.url.startsWith(prefix) && under(prefix))
  })
  return found ?? dialects[0]!
}

function addDialect(frame: Frame, scope: FastifyInstance, dialect: Dialect): void {
  acceptBodies(scope, dialect.bodies)
  scope.setErrorHandler((error: FastifyError, request, reply) => sendError(frame, dialect, error, request, reply))
  for (const route of dialect.routes) addRoute(frame, scope, dialect, route)
  for (const [path, used] of methodsByPath(dialect.routes)) {
    const unused = methods.filter((method) => !used.has(method))
    if (unused.length === 0) continue
    const handler = async (request: FastifyRequest, reply: FastifyReply) => {
      limitUnknown(frame, request, reply)
      return send(reply, dialect.onUnknownMethod())
    }
    // Before anything is read or judged: there is nothing to be had here.
    scope.route({
      method: unused,
      url: path,
      onRequest: handler,
      handler,
      schema: { hide: true },
      config: { linkspan: 'unknown method' } as object,
    })
  }
}

function methodsByPath(routes: readonly Route[]): Map<string, Set<RouteMethod>> {
  const byPath = new Map<string, Set<RouteMethod>>()
  for (const { path, method } of routes) byPath.set(path, new Set([...(byPath.get(path) ?? []), method]))
  return byPath
}

function addRoute(frame: Frame, scope: FastifyInstance, dialect: Dialect, route: Route): void {
  checkRoute(route)
  const { method, path, body, query, result, summary, socket } = route
  const answers = dialect.describeAnswers?.(route) ?? (result && { 200: result })
  const schema = {
    summary,
    tags: [dialect.name],
    'x-linkspan-access': describeAccess(route.access),
    ...(body && dialect.bodies === 'json' ? { body } : {}),
    ...(answers ? { response: answers } : {}),
    operationId: operationIdOf(route),
    ...(query ? { querystring: describeQuery(query) } : {}),
  }
  scope.route({
    method,
    url: path,
    schema,
    config: { linkspan: route.access.kind } as object,
    ...(route.bodyBytesMax === undefined ? {} : { bodyLimit: route.bodyBytesMax }),
    onRequest: async (request, reply) => {
      const apiRequest = receive(frame, request, reply)
      judge(frame, dialect, route, apiRequest)
    },
    handler: async (request, reply) => {
      const apiRequest = frame.requests.get(request)!
      return send(reply, await route.handler(apiRequest as ApiRequest<never>))
    },
    ...(socket && {
      wsHandler: (webSocket, request) => socket(frame.requests.get(request)!, webSocket),
    }),
  })
}

/** What generated clients call it: the method and the words of the path, such as `getServerAuthGroupsByName`. */
function operationIdOf({ method, path }: Route): string {
  const words = path
    .replace(/^\/1\.0\b/, '/server')
    .replaceAll(/\/:/g, '/by-')
    .match(/[A-Za-z0-9]+/g) ?? ['versions']
  return method.toLowerCase() + words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('')
}

/** Who is let in, for the published description. */
function describeAccess(access: RouteAccess): object {
  if (access.kind !== 'entitlement') return { kind: access.kind }
  return { kind: access.kind, entitlement: access.entitlement, entity_type: entityTypeOf(access) }
}

/** Given twice, a parameter is a list: handlers take the first, so nothing is refused here. */
function describeQuery(query: Record<string, string>): object {
  const properties = Object.entries(query).map(([name, description]) => [name, { description }])
  return { type: 'object', properties: Object.fromEntries(properties) }
}

function receive(frame: Frame, request: FastifyRequest, reply: FastifyReply): ApiRequest {
  const { access, clock, sessionOf } = frame.options
  const caller = frame.callers.get(request.raw.socket)
  if (!caller) throw new LinkspanError('internal', 'A connection came without its caller')
  const { cookie } = request.headers
  const session = () => (cookie === undefined ? undefined : sessionOf?.(cookie, caller))
  const currentSubject = () => {
    const known = subjectOf(access.snapshot, caller, clock)
    return known.kind === 'administrator' ? known : (session() ?? known)
  }
  const apiRequest = new ApiRequest({
    request,
    reply,
    caller,
    snapshot: access.snapshot,
    currentSubject,
    session: caller.transport !== 'unix' && session() !== undefined,
    onRefused: (event) => {
      if (frame.refusals.tryTake(originOf(caller.address))) frame.options.onSecurityEvent(event)
    },
  })
  frame.requests.set(request, apiRequest)
  if (apiRequest.subject.kind === 'identity') access.uses.touch(apiRequest.subject.identity.id)
  return apiRequest
}

function judge(frame: Frame, dialect: Dialect, route: Route, request: ApiRequest): void {
  if (request.subject.kind === 'untrusted') limitStranger(frame, request)
  guardBrowser(request)
  dialect.onRequest?.(request)
  const { access } = route
  if (access.kind === 'authenticated') request.requireTrusted()
  if (access.kind === 'entitlement') {
    request.requireTrusted()
    request.require(access.entitlement, access.entity(request))
  }
  route.check?.(request)
}

function thrownBy(work: () => void): unknown {
  try {
    work()
    return undefined
  } catch (error) {
    return error
  }
}

/** What is not there costs strangers as much as what is. */
function limitUnknown(frame: Frame, request: FastifyRequest, reply: FastifyReply): void {
  const apiRequest = receive(frame, request, reply)
  if (apiRequest.subject.kind === 'untrusted') limitStranger(frame, apiRequest)
}

function limitStranger(frame: Frame, request: ApiRequest): void {
  const origin = originOf(request.caller.address)
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (frame.reads.tryTake(origin) && (isRead || frame.writes.tryTake(origin))) return
  throw new LinkspanError('rate-limited', 'Too many requests from this address: wait a few seconds')
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  const { status, headers = {}, body } = answer
  reply.code(status).headers({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store', ...headers })
  if (body === undefined) return reply.send()
  if (typeof body === 'string' || body instanceof Uint8Array || isStream(body)) return reply.send(body)
  if (headers['content-type'] === undefined) reply.type('application/json')
  return reply.send(`${JSON.stringify(body)}\n`)
}

function sendError(
  frame: Frame,
  dialect: Dialect,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const ours = asLinkspanError(error)
  if (ours.code === 'internal') {
    const { method, url } = request
    frame.options.log.error(
      { err: error, method, url: url.replace(/\?.*$/s, '') },
      'A request failed for a reason of ours',
    )
    const sentence = 'This failed for a reason inside the daemon: its log says why'
    return send(reply, dialect.onError(new LinkspanError('internal', sentence), frame.requests.get(request)))
  }
  return send(reply, dialect.onError(ours, frame.requests.get(request)))
}

/** Fastify's own errors (a body that is too long, no JSON, not as the schema wants it) in our words. */
function asLinkspanError(error: unknown): LinkspanError {
  if (isLinkspanError(error)) return error
  const { statusCode = 500, validation, message } = error as Partial<FastifyError>
  if (validation) return new LinkspanError('invalid-request', `The request is not as it must be: ${message}`)
  if (statusCode === 413) return new LinkspanError('too-large', 'The body of the request is too long')
  if (statusCode < 500) return new LinkspanError('invalid-request', explainError(error))
  return new LinkspanError('internal', 'An error of ours', { cause: error })
}
