import { Backups } from '../backup/backups.ts'
import { BackupPuller } from '../backup/pull.ts'
import { entityUrl } from '../contract/entities.ts'
import { generationOf } from '../link/cluster-facts.ts'
import type { LinkOptions } from '../link/context.ts'
import type { Links } from '../link/links.ts'
import { linkRef } from '../link/rows.ts'
import { linkWarningTypes } from '../link/warnings.ts'
import type { Foundation } from './foundation.ts'
import { version } from './version.ts'

export interface BackupParts {
  /** Of this daemon. */
  backups: Backups
  /** Of those at the other ends of links. */
  puller: BackupPuller
}

export function openBackups(
  { config, store, identity, facts, warnings, clock, log }: Foundation,
  { context, links }: { context: LinkOptions; links: Links },
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
      const about = { type: linkWarningTypes.backupDue, entity: entityUrl(linkRef(link)) }
      if (problem === null) void warnings.resolve(about)
      else void warnings.raise({ ...about, message: problem, severity: 'moderate' })
    },
  })
  return { backups, puller }
}
