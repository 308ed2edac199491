import { authTree } from './auth.ts'
import { backupTree } from './backup.ts'
import { kafkaTree } from './kafka.ts'
import type { CommandGroup, CommandNode } from './node.ts'
import { remoteTree } from './remote.ts'

const clusterLinkTree: CommandGroup = {
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

export const commandTree: Record<string, CommandNode> = {
  status: {
    summary: 'Show the server, its links, its mirrors and what is wrong with them',
    load: () => import('../commands/status.ts'),
  },
  cluster: { summary: 'Manage clusters', commands: { link: clusterLinkTree } },
  auth: authTree,
  backup: backupTree,
  remote: remoteTree,
  kafka: kafkaTree,
  verify: {
    summary: 'Compare mirror topics with their sources, record for record',
    load: () => import('../commands/verify.ts'),
  },
  footprint: {
    summary: 'List everything that Linkspan changed in the Kafka cluster',
    load: () => import('../commands/footprint.ts'),
  },
  operation: {
    summary: 'Follow what goes on in the background',
    commands: {
      list: { summary: 'List operations', aliases: ['ls'], load: () => import('../commands/operation/list.ts') },
      show: { summary: 'Show an operation', load: () => import('../commands/operation/show.ts') },
      wait: { summary: 'Wait for the end of an operation', load: () => import('../commands/operation/wait.ts') },
      delete: {
        summary: 'Cancel an operation',
        aliases: ['rm', 'cancel'],
        load: () => import('../commands/operation/delete.ts'),
      },
    },
  },
  query: { summary: 'Send one request to the REST API', load: () => import('../commands/query.ts') },
  version: {
    summary: 'Show the versions of this program and of the daemon',
    load: () => import('../commands/version.ts'),
  },
}
