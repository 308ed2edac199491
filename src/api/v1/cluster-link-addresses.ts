import { LinkspanError } from '../../base/errors.ts'
import { AddressesPut } from '../../contract/v1.ts'
import { announcePath } from '../../link/announce.ts'
import { defineRoute, type Route } from '../route.ts'
import { linkChanged } from './cluster-link-events.ts'
import type { LinkRooms } from './cluster-link-rooms.ts'
import { done } from './envelope.ts'

/** Of our own: a linked cluster whose addresses have changed says so, instead of waiting for the daily question. */
export function linkAddressesRoute(rooms: LinkRooms): Route {
  return defineRoute({
    method: 'PUT',
    path: announcePath,
    summary: 'Say, as a linked cluster, under which addresses it is reached from now on',
    access: { kind: 'authenticated' },
    body: AddressesPut,
    handler: async (request) => {
      if (request.subject.kind !== 'identity') {
        throw new LinkspanError('invalid-request', 'The local administrator is no linked cluster: ask over HTTPS')
      }
      const link = await rooms.links.hearAddresses(request.subject.identity.id, request.body.addresses, request.signal)
      linkChanged(rooms, request, 'updated', link)
      return done()
    },
  })
}
