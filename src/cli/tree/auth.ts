import type { CommandGroup } from './node.ts'

const groupTree: CommandGroup = {
  summary: 'Manage groups: what their members may do',
  commands: {
    create: { summary: 'Create a group', load: () => import('../commands/auth/group-create.ts') },
    list: { summary: 'List groups', aliases: ['ls'], load: () => import('../commands/auth/group-list.ts') },
    show: { summary: 'Show a group', load: () => import('../commands/auth/group-show.ts') },
    edit: { summary: 'Edit a group as YAML', load: () => import('../commands/auth/group-edit.ts') },
    rename: { summary: 'Rename a group', aliases: ['mv'], load: () => import('../commands/auth/group-rename.ts') },
    delete: { summary: 'Delete a group', aliases: ['rm'], load: () => import('../commands/auth/group-delete.ts') },
    permission: {
      summary: 'Manage the permissions of a group',
      aliases: ['perm'],
      commands: {
        add: { summary: 'Add a permission to a group', load: () => import('../commands/auth/permission-add.ts') },
        remove: {
          summary: 'Take a permission from a group',
          aliases: ['rm'],
          load: () => import('../commands/auth/permission-remove.ts'),
        },
      },
    },
  },
}

const identityTree: CommandGroup = {
  summary: 'Manage identities: who is known here',
  aliases: ['user'],
  commands: {
    create: {
      summary: 'Create an identity from a certificate, or a token for it',
      load: () => import('../commands/auth/identity-create.ts'),
    },
    list: { summary: 'List identities', aliases: ['ls'], load: () => import('../commands/auth/identity-list.ts') },
    show: { summary: 'Show an identity', load: () => import('../commands/auth/identity-show.ts') },
    info: {
      summary: 'Show who you are here and what you may do',
      load: () => import('../commands/auth/identity-info.ts'),
    },
    edit: { summary: 'Edit an identity as YAML', load: () => import('../commands/auth/identity-edit.ts') },
    delete: {
      summary: 'Delete an identity, which ends its connections',
      aliases: ['rm'],
      load: () => import('../commands/auth/identity-delete.ts'),
    },
    group: {
      summary: 'Manage the groups of an identity',
      commands: {
        add: { summary: 'Add an identity to a group', load: () => import('../commands/auth/identity-group-add.ts') },
        remove: {
          summary: 'Take an identity out of a group',
          aliases: ['rm'],
          load: () => import('../commands/auth/identity-group-remove.ts'),
        },
      },
    },
  },
}

export const authTree: CommandGroup = {
  summary: 'Manage who may do what',
  commands: {
    group: groupTree,
    identity: identityTree,
    token: {
      summary: 'Manage tokens that nobody has used yet',
      commands: {
        list: { summary: 'List tokens', aliases: ['ls'], load: () => import('../commands/auth/token-list.ts') },
        reissue: {
          summary: 'Make a new token for a pending identity or link',
          load: () => import('../commands/auth/token-reissue.ts'),
        },
      },
    },
    explain: {
      summary: 'Tell why an identity may do something, or what would let it',
      load: () => import('../commands/auth/explain.ts'),
    },
    permission: {
      summary: 'Show permissions',
      aliases: ['perm'],
      commands: {
        list: {
          summary: 'List permissions, and which groups hold them',
          aliases: ['ls'],
          load: () => import('../commands/auth/permission-list.ts'),
        },
      },
    },
  },
}
