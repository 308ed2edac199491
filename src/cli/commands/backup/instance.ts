import type { Context } from '../../context.ts'

/** What the daemon calls itself: the one instance whose backups it makes. */
export async function instanceOf(context: Context): Promise<string> {
  const { value } = await context.client.server.get()
  return value.environment?.server_name ?? ''
}

/** Where a backup is: on the daemon that it is of, or on one that pulled it over a link. */
export interface BackupPlace {
  link?: string
}

export const linkOption = ['--link <link>', 'of those that were pulled over this link'] as const

/** The path of the backups that are meant. */
export async function backupsPath(context: Context, { link }: BackupPlace): Promise<string> {
  if (link !== undefined) return `/1.0/cluster/links/${encodeURIComponent(link)}/backups`
  return `/1.0/instances/${encodeURIComponent(await instanceOf(context))}/backups`
}
