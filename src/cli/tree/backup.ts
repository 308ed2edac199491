import type { CommandGroup } from './node.ts'

export const backupTree: CommandGroup = {
  summary: 'Back daemons up to an offline key, and restore a lost one',
  commands: {
    key: {
      summary: 'Manage the recovery key that opens backups',
      commands: {
        create: {
          summary: 'Make a recovery key: its secret goes to a file that is to be kept offline',
          example: 'linkspan backup key create recovery.key --set',
          load: () => import('../commands/backup/key-create.ts'),
        },
      },
    },
    create: {
      summary: 'Back the daemon up',
      example: 'linkspan backup create before-upgrade --expires-at 2030-01-31T00:00:00Z',
      load: () => import('../commands/backup/create.ts'),
    },
    list: {
      summary: 'List backups: those of the daemon itself, or those that it pulled over a link',
      aliases: ['ls'],
      example: ['linkspan backup list', 'linkspan backup list --link berlin'],
      load: () => import('../commands/backup/list.ts'),
    },
    export: {
      summary: 'Save a backup as a file',
      example: 'linkspan backup export before-upgrade',
      load: () => import('../commands/backup/export.ts'),
    },
    delete: {
      summary: 'Delete a backup',
      aliases: ['rm'],
      example: 'linkspan backup delete before-upgrade',
      load: () => import('../commands/backup/delete.ts'),
    },
    pull: {
      summary: 'Have the other side of a cluster link backed up, and bring that here',
      example: 'linkspan backup pull berlin',
      load: () => import('../commands/backup/pull.ts'),
    },
    verify: {
      summary: 'Prove that the file of a backup is whole, and with the recovery key that it opens',
      example: 'linkspan backup verify berlin.backup --recovery-key recovery.key',
      load: () => import('../commands/backup/verify.ts'),
    },
    restore: {
      summary: 'Make the state directory of a lost host from its backup, where no daemon runs',
      example: 'linkspan backup restore berlin.backup --recovery-key recovery.key --state-dir /var/lib/linkspan',
      load: () => import('../commands/backup/restore.ts'),
    },
  },
}
