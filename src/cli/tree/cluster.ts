import type { CommandGroup } from './node.ts'

const linkTree: CommandGroup = {
  summary: 'Manage cluster links: trust between two clusters, and what flows over it',
  commands: {
    create: {
      summary: 'Create a cluster link: without a token one is made, with the token of the other side it is used',
      example: [
        'linkspan cluster link create berlin --auth-group readers',
        'linkspan cluster link create paris --token-file token.txt',
        'linkspan cluster link create open --public --remote-address 10.0.0.9:8443',
      ],
      load: () => import('../commands/cluster-link/create.ts'),
    },
    connect: {
      summary: 'Link two clusters of which you have remotes, in one step',
      example: [
        'linkspan cluster link connect east: west: --auth-group readers',
        'linkspan cluster link connect local: west: --name-a east --auth-group-b readers',
      ],
      load: () => import('../commands/cluster-link/connect.ts'),
    },
    list: {
      summary: 'List cluster links',
      aliases: ['ls'],
      example: 'linkspan cluster link list',
      load: () => import('../commands/cluster-link/list.ts'),
    },
    show: {
      summary: 'Show the config of a cluster link',
      example: 'linkspan cluster link show berlin',
      load: () => import('../commands/cluster-link/show.ts'),
    },
    info: {
      summary: 'Show the state of a cluster link',
      example: 'linkspan cluster link info berlin',
      load: () => import('../commands/cluster-link/info.ts'),
    },
    get: {
      summary: 'Print one config key of a cluster link',
      example: 'linkspan cluster link get berlin user.owner',
      load: () => import('../commands/cluster-link/get.ts'),
    },
    set: {
      summary: 'Set config keys of a cluster link',
      example: [
        'linkspan cluster link set berlin user.owner=ops',
        'linkspan cluster link set berlin --property description="Second site"',
      ],
      load: () => import('../commands/cluster-link/set.ts'),
    },
    unset: {
      summary: 'Unset a config key of a cluster link',
      example: 'linkspan cluster link unset berlin user.owner',
      load: () => import('../commands/cluster-link/unset.ts'),
    },
    edit: {
      summary: 'Edit a cluster link as YAML',
      example: ['linkspan cluster link edit berlin', 'linkspan cluster link edit berlin < berlin.yaml'],
      load: () => import('../commands/cluster-link/edit.ts'),
    },
    rename: {
      summary: 'Rename a cluster link on this side',
      aliases: ['mv'],
      example: 'linkspan cluster link rename berlin bonn',
      load: () => import('../commands/cluster-link/rename.ts'),
    },
    delete: {
      summary: 'Delete a cluster link and the trust on this side',
      aliases: ['rm', 'remove'],
      example: 'linkspan cluster link delete berlin',
      load: () => import('../commands/cluster-link/delete.ts'),
    },
  },
}

export const clusterTree: CommandGroup = {
  summary: 'Manage clusters',
  commands: {
    list: {
      summary: 'List the hosts of the cluster',
      aliases: ['ls'],
      example: 'linkspan cluster list',
      load: () => import('../commands/cluster/list.ts'),
    },
    show: {
      summary: 'Show a host of the cluster',
      example: 'linkspan cluster show east-1',
      load: () => import('../commands/cluster/show.ts'),
    },
    certificate: {
      summary: 'Manage the certificate of the cluster',
      commands: {
        rotate: {
          summary: "Replace the cluster's key and certificate, while its links go on",
          example: 'linkspan cluster certificate rotate',
          load: () => import('../commands/cluster/certificate-rotate.ts'),
        },
      },
    },
    link: linkTree,
  },
}
