import type { WebSocket } from 'ws'
import { authorize } from '../../access/authorize.ts'
import { usernameOf } from '../../access/snapshot.ts'
import { explainError, LinkspanError } from '../../base/errors.ts'
import { serverRef } from '../../contract/entities.ts'
import { Event } from '../../contract/v1.ts'
import { type EventType, eventTypes, type LinkspanEvent } from '../../events/event.ts'
import type { Subscription } from '../../events/subscription.ts'
import type { ApiRequest } from '../request.ts'
import { defineRoute, type Route } from '../route.ts'
import type { V1Rooms } from './rooms.ts'

/** Of other people's doings, and of our insides: for those who may see all events. */
const privileged: readonly EventType[] = ['security', 'logging']

/** A reader that leaves so much unread is cut off: the events that wait for it cost us memory. */
const unsentBytesMax = 4 * 1024 * 1024
const goingAway = 1001
const policyViolation = 1008

export function eventRoutes(rooms: V1Rooms): Route[] {
  return [
    defineRoute({
      method: 'GET',
      path: '/1.0/events',
      summary: 'Watch events over a WebSocket',
      access: { kind: 'authenticated' },
      query: { type: `Comma-separated: ${eventTypes.join(', ')}; without it, all that the caller may see` },
      answers: [101],
      result: Event,
      check: askedTypes,
      handler: () => ({
        status: 400,
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        body: 'Events come over a WebSocket: ask for an upgrade\n',
      }),
      socket: (request, socket) => watch(rooms, request, socket),
    }),
  ]
}

function watch(rooms: V1Rooms, request: ApiRequest, socket: WebSocket): void {
  // Before the first await: an error without a listener would end the process.
  socket.on('error', () => socket.terminate())
  let subscription: Subscription
  try {
    const types = askedTypes(request)
    subscription = rooms.bus.subscribe({ types, visible: (event) => maySee(rooms, request, event) })
  } catch (error) {
    socket.close(policyViolation, explainError(error).slice(0, 120))
    return
  }
  const stopWatching = rooms.access.onChange(() => {
    if (request.currentSubject().kind !== 'untrusted') return
    subscription.close()
    socket.terminate()
  })
  socket.once('close', () => {
    stopWatching()
    subscription.close()
  })
  void forward(subscription, socket)
}

async function forward(subscription: Subscription, socket: WebSocket): Promise<void> {
  try {
    for await (const event of subscription) {
      if (socket.bufferedAmount > unsentBytesMax) throw new LinkspanError('closed', 'Events were read too slowly')
      socket.send(JSON.stringify(event))
    }
    socket.close(goingAway, 'The daemon is stopping')
  } catch (error) {
    socket.close(policyViolation, explainError(error).slice(0, 120))
    subscription.close()
  }
}

/** Throws `invalid-request` for a type that is none, `not-permitted` for one that the caller may not see. */
export function askedTypes(request: ApiRequest): EventType[] {
  const text = request.query('type') ?? ''
  const names = text.split(',').filter((name) => name !== '')
  const wrong = names.find((name) => !(eventTypes as readonly string[]).includes(name))
  if (wrong !== undefined) {
    const sentence = `Unknown type of events ${JSON.stringify(wrong)}; there are ${eventTypes.join(', ')}`
    throw new LinkspanError('invalid-request', sentence)
  }
  const types = names as EventType[]
  if (types.some((type) => privileged.includes(type))) request.require('can_view_events')
  return types
}

function maySee(rooms: V1Rooms, request: ApiRequest, event: LinkspanEvent): boolean {
  const subject = request.currentSubject()
  const may = (entitlement: 'can_view_events' | 'can_view_operations') => {
    return authorize(rooms.access.snapshot, subject, entitlement, serverRef).allowed
  }
  if (subject.kind === 'untrusted') return false
  if (may('can_view_events')) return true
  if (event.type === 'security' || event.type === 'logging') return false
  const { username, protocol } = usernameOf(subject)
  const { requestor } = event.metadata
  if (requestor?.username === username && requestor.protocol === protocol) return true
  return event.type === 'operation' && may('can_view_operations')
}
