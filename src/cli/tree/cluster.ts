import type { CommandGroup } from './node.ts'

const linkTree: CommandGroup = {
  summary: 'Manage cluster links: trust between two clusters, and what flows over it',
  commands: {
    create: {
      summary: 'Create a cluster link: without a token one is made, with the token of the other side it is used',
      load: () => import('../commands/cluster-link/create.ts'),
    },
    connect: {
      summary: 'Link two clusters of which you have remotes, in one step',
      load: () => import('../commands/cluster-link/connect.ts'),
    },
    list: {
      summary: 'List cluster links',
      aliases: ['ls'],
      load: () => import('../commands/cluster-link/list.ts'),
    },
    show: { summary: 'Show the config of a cluster link', load: () => import('../commands/cluster-link/show.ts') },
    info: { summary: 'Show the state of a cluster link', load: () => import('../commands/cluster-link/info.ts') },
    get: { summary: 'Print one config key of a cluster link', load: () => import('../commands/cluster-link/get.ts') },
    set: { summary: 'Set config keys of a cluster link', load: () => import('../commands/cluster-link/set.ts') },
    unset: { summary: 'Unset a config key of a cluster link', load: () => import('../commands/cluster-link/unset.ts') },
    edit: { summary: 'Edit a cluster link as YAML', load: () => import('../commands/cluster-link/edit.ts') },
    rename: {
      summary: 'Rename a cluster link on this side',
      aliases: ['mv'],
      load: () => import('../commands/cluster-link/rename.ts'),
    },
    delete: {
      summary: 'Delete a cluster link and the trust on this side',
      aliases: ['rm', 'remove'],
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
      load: () => import('../commands/cluster/list.ts'),
    },
    show: { summary: 'Show a host of the cluster', load: () => import('../commands/cluster/show.ts') },
    certificate: {
      summary: 'Manage the certificate of the cluster',
      commands: {
        rotate: {
          summary: "Replace the cluster's key and certificate, while its links go on",
          load: () => import('../commands/cluster/certificate-rotate.ts'),
        },
      },
    },
    link: linkTree,
  },
}
