import type { CommandGroup } from './node.ts'

export const remoteTree: CommandGroup = {
  summary: 'Manage remotes: daemons elsewhere that commands can name, as in "berlin:"',
  commands: {
    add: {
      summary: 'Add a remote, by a token or by its address',
      example: ['linkspan remote add berlin --token-file token.txt', 'linkspan remote add berlin 10.0.0.1:8443'],
      load: () => import('../commands/remote/add.ts'),
    },
    list: {
      summary: 'List remotes',
      aliases: ['ls'],
      example: 'linkspan remote list',
      load: () => import('../commands/remote/list.ts'),
    },
    remove: {
      summary: 'Remove a remote',
      aliases: ['rm'],
      example: 'linkspan remote remove berlin',
      load: () => import('../commands/remote/remove.ts'),
    },
    rename: {
      summary: 'Rename a remote',
      aliases: ['mv'],
      example: 'linkspan remote rename berlin bonn',
      load: () => import('../commands/remote/rename.ts'),
    },
    switch: {
      summary: 'Choose the remote that is meant where none is named',
      aliases: ['set-default'],
      example: 'linkspan remote switch berlin',
      load: () => import('../commands/remote/switch.ts'),
    },
    'get-default': {
      summary: 'Print the remote that is meant where none is named',
      example: 'linkspan remote get-default',
      load: () => import('../commands/remote/get-default.ts'),
    },
    'set-url': {
      summary: 'Change where a remote is',
      example: 'linkspan remote set-url berlin 10.0.0.1:8443,10.0.0.2:8443',
      load: () => import('../commands/remote/set-url.ts'),
    },
    'update-certificate': {
      summary: 'Accept that a remote has a new certificate',
      example: 'linkspan remote update-certificate berlin',
      load: () => import('../commands/remote/update-certificate.ts'),
    },
    'generate-certificate': {
      summary: 'Make the certificate by which remotes know you',
      example: 'linkspan remote generate-certificate',
      load: () => import('../commands/remote/generate-certificate.ts'),
    },
  },
}
