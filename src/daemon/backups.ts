import { Backups } from '../backup/backups.ts'
import { BackupPuller } from '../backup/pull.ts'
import { generationOf } from '../link/cluster-facts.ts'
import type { LinkContext } from '../link/context.ts'
import type { Links } from '../link/links.ts'
import type { Foundation } from './foundation.ts'
import { version } from './version.ts'

export interface BackupParts {
  /** Of this daemon. */
  backups: Backups
  /** Of those at the other ends of links. */
  puller: BackupPuller
}

export function openBackups(
  { config, store, identity, facts, clock, log }: Foundation,
  { context, links }: { context: LinkContext; links: Links },
): BackupParts {
  const directory = config.stateDir
  const { clusterId } = facts
  const generation = () => generationOf(store.rows)
  const backups = new Backups({
    store,
    identity,
    directory,
    instance: config.name,
    clusterId,
    generation,
    version,
    clock,
    log,
  })
  const puller = new BackupPuller({
    context,
    links,
    directory,
    onTried: (link, problem) => {
      if (problem !== null) log.warn({ link: link.name, problem }, 'A backup that was due could not be pulled')
    },
  })
  return { backups, puller }
}
