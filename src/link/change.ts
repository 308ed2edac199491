import { deleteIdentityChanges, renameIdentityChanges } from '../access/identities.ts'
import { forgetEntitiesChanges, renameEntityChanges } from '../access/permissions.ts'
import { identityTable } from '../access/rows.ts'
import { LinkspanError } from '../base/errors.ts'
import type { LinkId } from '../base/ids.ts'
import type { ConfigChanges } from '../contract/check-config.ts'
import type { RowChange } from '../store/row-log.ts'
import type { RowsView } from '../store/rows.ts'
import { changedConfig } from './config.ts'
import type { LinkContext } from './context.ts'
import { checkDescription, checkLinkFree, checkLinkName, requireLink } from './names.ts'
import { type LinkRow, linkRef, linkTable } from './rows.ts'

export interface LinkUpdate {
  name: string
  /** Missing: it stays. */
  description?: string
  config: ConfigChanges
  /** `replace`: the config is the whole map, as LXD's PUT means it. `merge`: what it lacks stays. */
  how: 'replace' | 'merge'
  /** Looks at the link as it is just before the change, and throws to refuse it: for If-Match. */
  check?: (link: LinkRow) => void
}

export interface ConfigChange {
  name: string
  /** Null brings the default back. */
  value: string | null
}

export interface DeletedLink {
  link: LinkRow
  /** Of the identity that went with it. */
  identityId?: string
}

/** Uses that are named in a refusal; there can be thousands. */
const shownUsesMax = 5

export function updateLink(context: LinkContext, update: LinkUpdate): Promise<LinkRow> {
  return context.access.execute('update link', (rows) => {
    const link = requireLink(rows, update.name)
    update.check?.(link)
    const description = update.description ?? link.description
    checkDescription(description)
    const replace = update.how === 'replace'
    const options = { dialect: 'lxd', creating: false, replace } as const
    const config = changedConfig(context.sealer, link, update.config, options)
    const changed: LinkRow = { ...link, description, config }
    return { changes: [linkTable.put(link.id, changed)], result: changed }
  })
}

export async function alterConfig(
  context: LinkContext,
  name: string,
  changes: readonly ConfigChange[],
  { validateOnly = false }: { validateOnly?: boolean } = {},
): Promise<LinkRow> {
  const byName = configOf(changes)
  return context.access.execute('alter link config', (rows) => {
    const link = requireLink(rows, name)
    const config = changedConfig(context.sealer, link, byName, { dialect: 'confluent', creating: false })
    const changed: LinkRow = { ...link, config }
    return { changes: validateOnly ? [] : [linkTable.put(link.id, changed)], result: changed }
  })
}

/** Throws `invalid-config` for a key that is given twice. */
export function configOf(changes: readonly ConfigChange[]): ConfigChanges {
  const byName = new Map<string, string | null>()
  for (const { name, value } of changes) {
    if (byName.has(name)) {
      const details = { key: name, rule: 'twice' }
      throw new LinkspanError('invalid-config', `The config key "${name}" is given twice`, { details })
    }
    byName.set(name, value)
  }
  return Object.fromEntries(byName)
}

/** Its identity and the permissions on it follow. To its own name: nothing changes. */
export function renameLink(context: LinkContext, name: string, newName: string): Promise<LinkRow> {
  return context.access.execute('rename link', (rows) => {
    const link = requireLink(rows, name)
    checkLinkName(newName)
    if (newName === name) return { changes: [], result: link }
    checkLinkFree(rows, newName, 0)
    const renamed: LinkRow = { ...link, name: newName }
    const changes = [linkTable.put(link.id, renamed), ...renameEntityChanges(rows, linkRef(link), linkRef(renamed))]
    if (link.identityId) changes.push(...renameIdentityChanges(rows, link.identityId, newName).changes)
    return { changes, result: renamed }
  })
}

/** `usesOf`: what stands in the way. Throws `in-use`, `not-found`. */
export function deleteLink(
  context: LinkContext,
  id: LinkId,
  usesOf: (link: LinkRow) => string[],
): Promise<DeletedLink> {
  return context.access.execute('delete link', (rows) => {
    const link = rows.get(linkTable, id)
    if (!link) throw new LinkspanError('not-found', 'Cluster link not found: it was deleted meanwhile')
    const uses = usesOf(link)
    if (uses.length > 0) throw linkInUse(link, uses)
    const { identityId } = link
    return { changes: deleteLinkChanges(context, rows, link), result: { link, ...(identityId ? { identityId } : {}) } }
  })
}

export function deleteLinkChanges(context: LinkContext, rows: RowsView, link: LinkRow): RowChange[] {
  const { identityId } = link
  if (identityId !== undefined && rows.has(identityTable, identityId)) {
    // The link hangs on the identity: see `registerAccessHooks`.
    return deleteIdentityChanges(rows, context.access.hooks, identityId)
  }
  return [linkTable.remove(link.id), ...forgetEntitiesChanges(rows, [linkRef(link)])]
}

function linkInUse(link: LinkRow, uses: readonly string[]): LinkspanError {
  const more = uses.length > shownUsesMax ? ` and ${uses.length - shownUsesMax} more` : ''
  const shown = uses.slice(0, shownUsesMax).join(', ') + more
  const problem = `Cluster link ${JSON.stringify(link.name)} is in use by ${shown}`
  const wayOut = 'promote, fail over or delete these first, or use --force, which fails them over'
  return new LinkspanError('in-use', `${problem}: ${wayOut}`, { details: { uses } })
}

export function setRemoteKafkaClusterId(
  context: LinkContext,
  id: LinkId,
  remoteKafkaClusterId: string,
): Promise<LinkRow> {
  return context.access.execute('pin remote Kafka cluster', (rows) => {
    const link = rows.get(linkTable, id)
    if (!link) throw new LinkspanError('not-found', 'Cluster link not found: it was deleted meanwhile')
    const pinned = link.remoteKafkaClusterId
    if (pinned === remoteKafkaClusterId) return { changes: [], result: link }
    if (pinned !== undefined) {
      const problem = `The Kafka behind cluster link "${link.name}" is now ${remoteKafkaClusterId}, it was ${pinned}`
      throw new LinkspanError('source-changed', `${problem}: delete the link and make a new one for the other cluster`)
    }
    const changed: LinkRow = { ...link, remoteKafkaClusterId }
    return { changes: [linkTable.put(id, changed)], result: changed }
  })
}
