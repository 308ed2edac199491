import type { CommandGroup } from './node.ts'

const trustTree: CommandGroup = {
  summary: "Manage LXD's older trust store: certificates that are trusted as a whole",
  commands: {
    list: {
      summary: 'List trusted certificates',
      aliases: ['ls'],
      load: () => import('../commands/config-trust/list.ts'),
    },
    add: {
      summary: 'Trust a certificate, or make a token for whoever uses it',
      load: () => import('../commands/config-trust/add.ts'),
    },
    remove: {
      summary: 'Trust a certificate no more',
      aliases: ['rm'],
      load: () => import('../commands/config-trust/remove.ts'),
    },
    show: { summary: 'Show a trusted certificate', load: () => import('../commands/config-trust/show.ts') },
    edit: { summary: 'Edit a trusted certificate as YAML', load: () => import('../commands/config-trust/edit.ts') },
    'list-tokens': {
      summary: 'List tokens that nobody has used yet',
      load: () => import('../commands/config-trust/list-tokens.ts'),
    },
    'revoke-token': {
      summary: 'Make a token void',
      load: () => import('../commands/config-trust/revoke-token.ts'),
    },
  },
}

export const configTree: CommandGroup = {
  summary: "Manage the server's config",
  commands: {
    get: { summary: 'Print one key', load: () => import('../commands/config/get.ts') },
    set: { summary: 'Set keys', load: () => import('../commands/config/set.ts') },
    unset: { summary: 'Unset a key', load: () => import('../commands/config/unset.ts') },
    show: { summary: 'Show the config', load: () => import('../commands/config/show.ts') },
    edit: { summary: 'Edit the config as YAML', load: () => import('../commands/config/edit.ts') },
    trust: trustTree,
  },
}
