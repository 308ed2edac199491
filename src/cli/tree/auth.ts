import type { CommandGroup } from './node.ts'

const groupTree: CommandGroup = {
  summary: 'Manage groups: what their members may do',
  commands: {
    create: {
      summary: 'Create a group',
      example: 'linkspan auth group create readers --description "May read the orders"',
      load: () => import('../commands/auth/group-create.ts'),
    },
    list: {
      summary: 'List groups',
      aliases: ['ls'],
      example: 'linkspan auth group list',
      load: () => import('../commands/auth/group-list.ts'),
    },
    show: {
      summary: 'Show a group',
      example: 'linkspan auth group show readers',
      load: () => import('../commands/auth/group-show.ts'),
    },
    edit: {
      summary: 'Edit a group as YAML',
      example: ['linkspan auth group edit readers', 'linkspan auth group edit readers < readers.yaml'],
      load: () => import('../commands/auth/group-edit.ts'),
    },
    rename: {
      summary: 'Rename a group',
      aliases: ['mv'],
      example: 'linkspan auth group rename readers viewers',
      load: () => import('../commands/auth/group-rename.ts'),
    },
    delete: {
      summary: 'Delete a group',
      aliases: ['rm'],
      example: 'linkspan auth group delete readers',
      load: () => import('../commands/auth/group-delete.ts'),
    },
    permission: {
      summary: 'Manage the permissions of a group',
      aliases: ['perm'],
      commands: {
        add: {
          summary: 'Add a permission to a group',
          example: [
            'linkspan auth group permission add readers topic orders can_read',
            "linkspan auth group permission add readers topic 'orders*' can_read",
            'linkspan auth group permission add operators server admin',
            'linkspan auth group permission add backup instance can_manage_backups',
          ],
          load: () => import('../commands/auth/permission-add.ts'),
        },
        remove: {
          summary: 'Take a permission from a group',
          aliases: ['rm'],
          example: 'linkspan auth group permission remove readers topic orders can_read',
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
      example: [
        'linkspan auth identity create tls/ada --group operators',
        'linkspan auth identity create tls/ada ada.crt --group operators',
        'linkspan auth identity create cluster-link/paris --group readers',
      ],
      load: () => import('../commands/auth/identity-create.ts'),
    },
    list: {
      summary: 'List identities',
      aliases: ['ls'],
      example: 'linkspan auth identity list',
      load: () => import('../commands/auth/identity-list.ts'),
    },
    show: {
      summary: 'Show an identity',
      example: 'linkspan auth identity show cluster-link/berlin',
      load: () => import('../commands/auth/identity-show.ts'),
    },
    info: {
      summary: 'Show who you are here and what you may do',
      example: 'linkspan auth identity info berlin:',
      load: () => import('../commands/auth/identity-info.ts'),
    },
    edit: {
      summary: 'Edit an identity as YAML',
      example: 'linkspan auth identity edit tls/ada',
      load: () => import('../commands/auth/identity-edit.ts'),
    },
    delete: {
      summary: 'Delete an identity, which ends its connections',
      aliases: ['rm'],
      example: 'linkspan auth identity delete tls/ada',
      load: () => import('../commands/auth/identity-delete.ts'),
    },
    group: {
      summary: 'Manage the groups of an identity',
      commands: {
        add: {
          summary: 'Add an identity to a group',
          example: 'linkspan auth identity group add cluster-link/berlin readers',
          load: () => import('../commands/auth/identity-group-add.ts'),
        },
        remove: {
          summary: 'Take an identity out of a group',
          aliases: ['rm'],
          example: 'linkspan auth identity group remove cluster-link/berlin readers',
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
        list: {
          summary: 'List tokens',
          aliases: ['ls'],
          example: 'linkspan auth token list',
          load: () => import('../commands/auth/token-list.ts'),
        },
        reissue: {
          summary: 'Make a new token for a pending identity or link',
          example: 'linkspan auth token reissue cluster-link/berlin',
          load: () => import('../commands/auth/token-reissue.ts'),
        },
      },
    },
    explain: {
      summary: 'Tell why an identity may do something, or what would let it',
      example: [
        'linkspan auth explain cluster-link/berlin can_read topic/orders',
        'linkspan auth explain tls/ada can_edit server',
      ],
      load: () => import('../commands/auth/explain.ts'),
    },
    permission: {
      summary: 'Show permissions',
      aliases: ['perm'],
      commands: {
        list: {
          summary: 'List permissions, and which groups hold them',
          aliases: ['ls'],
          example: 'linkspan auth permission list entity_type=topic',
          load: () => import('../commands/auth/permission-list.ts'),
        },
      },
    },
  },
}
