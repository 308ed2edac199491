import { parseEntityUrl } from '../../contract/entities.ts'
import type { ClusterLink } from '../../contract/v1.ts'
import type { LinkRow } from '../../link/rows.ts'
import type { ApiRequest } from '../request.ts'
import type { LinkRooms } from './cluster-link-rooms.ts'

export function showLink({ links }: LinkRooms, request: ApiRequest, link: LinkRow): ClusterLink {
  const { name, description, type } = link
  const uses = links.usesOf(link).filter((url) => {
    const ref = parseEntityUrl(url)
    return ref === undefined || request.mayView(ref)
  })
  return { name, description, type, config: links.shownConfig(link), used_by: uses }
}

/** What its ETag covers. Sealed values are in it as they are stored, so that a new secret is a change too. */
export function linkTag({ description, config }: LinkRow): object {
  return { description, config }
}
