import type { CommandGroup } from './node.ts'

export const remoteTree: CommandGroup = {
  summary: 'Manage remotes: daemons elsewhere that commands can name, as in "berlin:"',
  commands: {
    add: { summary: 'Add a remote, by a token or by its address', load: () => import('../commands/remote/add.ts') },
    list: { summary: 'List remotes', aliases: ['ls'], load: () => import('../commands/remote/list.ts') },
    remove: { summary: 'Remove a remote', aliases: ['rm'], load: () => import('../commands/remote/remove.ts') },
    rename: { summary: 'Rename a remote', aliases: ['mv'], load: () => import('../commands/remote/rename.ts') },
    switch: {
      summary: 'Choose the remote that is meant where none is named',
      aliases: ['set-default'],
      load: () => import('../commands/remote/switch.ts'),
    },
    'get-default': {
      summary: 'Print the remote that is meant where none is named',
      load: () => import('../commands/remote/get-default.ts'),
    },
    'set-url': {
      summary: 'Change where a remote is',
      load: () => import('../commands/remote/set-url.ts'),
    },
    'update-certificate': {
      summary: 'Accept that a remote has a new certificate',
      load: () => import('../commands/remote/update-certificate.ts'),
    },
    'generate-certificate': {
      summary: 'Make the certificate by which remotes know you',
      load: () => import('../commands/remote/generate-certificate.ts'),
    },
  },
}
