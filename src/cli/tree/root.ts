import { authTree } from './auth.ts'
import { backupTree } from './backup.ts'
import { clusterTree } from './cluster.ts'
import { configTree } from './config.ts'
import { kafkaTree } from './kafka.ts'
import type { CommandTree } from './node.ts'
import { remoteTree } from './remote.ts'
import { warningTree } from './warning.ts'

export const commandTree: CommandTree = {
  status: {
    summary: 'Show the server, its links, its mirrors and what is wrong with them',
    load: () => import('../commands/status.ts'),
  },
  cluster: clusterTree,
  auth: authTree,
  backup: backupTree,
  remote: remoteTree,
  config: configTree,
  warning: warningTree,
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
  monitor: { summary: 'Watch what happens at a daemon', load: () => import('../commands/monitor.ts') },
  query: { summary: 'Send one request to the REST API', load: () => import('../commands/query.ts') },
  completion: {
    summary: 'Print the script by which a shell completes commands and names',
    load: () => import('../commands/completion.ts'),
  },
  complete: {
    summary: 'Print what could stand at the end of a command line',
    hidden: true,
    load: () => import('../commands/complete.ts'),
  },
  version: {
    summary: 'Show the versions of this program and of the daemon',
    load: () => import('../commands/version.ts'),
  },
}
