import type { CommandGroup } from './node.ts'

const trustTree: CommandGroup = {
  summary: "Manage LXD's older trust store: certificates that are trusted as a whole",
  commands: {
    list: {
      summary: 'List trusted certificates',
      aliases: ['ls'],
      example: 'linkspan config trust list',
      load: () => import('../commands/config-trust/list.ts'),
    },
    add: {
      summary: 'Trust a certificate, or make a token for whoever uses it',
      example: ['linkspan config trust add --name ada', 'linkspan config trust add ada.crt --restricted'],
      load: () => import('../commands/config-trust/add.ts'),
    },
    remove: {
      summary: 'Trust a certificate no more',
      aliases: ['rm'],
      example: 'linkspan config trust remove 3b1c58d2a4f0',
      load: () => import('../commands/config-trust/remove.ts'),
    },
    show: {
      summary: 'Show a trusted certificate',
      example: 'linkspan config trust show 3b1c58d2a4f0',
      load: () => import('../commands/config-trust/show.ts'),
    },
    edit: {
      summary: 'Edit a trusted certificate as YAML',
      example: 'linkspan config trust edit 3b1c58d2a4f0',
      load: () => import('../commands/config-trust/edit.ts'),
    },
    'list-tokens': {
      summary: 'List tokens that nobody has used yet',
      example: 'linkspan config trust list-tokens',
      load: () => import('../commands/config-trust/list-tokens.ts'),
    },
    'revoke-token': {
      summary: 'Make a token void',
      example: 'linkspan config trust revoke-token ada',
      load: () => import('../commands/config-trust/revoke-token.ts'),
    },
  },
}

export const configTree: CommandGroup = {
  summary: "Manage the server's config",
  commands: {
    get: {
      summary: 'Print one key',
      example: 'linkspan config get core.remote_token_expiry',
      load: () => import('../commands/config/get.ts'),
    },
    set: {
      summary: 'Set keys',
      example: 'linkspan config set core.remote_token_expiry=1d',
      load: () => import('../commands/config/set.ts'),
    },
    unset: {
      summary: 'Unset a key',
      example: 'linkspan config unset core.remote_token_expiry',
      load: () => import('../commands/config/unset.ts'),
    },
    show: {
      summary: 'Show the config',
      example: 'linkspan config show berlin:',
      load: () => import('../commands/config/show.ts'),
    },
    edit: {
      summary: 'Edit the config as YAML',
      example: 'linkspan config edit',
      load: () => import('../commands/config/edit.ts'),
    },
    trust: trustTree,
  },
}
