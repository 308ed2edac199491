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
    example: 'linkspan status',
    load: () => import('../commands/status.ts'),
  },
  info: {
    summary: 'Show what the server says of itself, and what it can do',
    example: 'linkspan info berlin:',
    load: () => import('../commands/info.ts'),
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
    example: ['linkspan verify orders', 'linkspan verify --link west --format json'],
    load: () => import('../commands/verify.ts'),
  },
  footprint: {
    summary: 'List everything that Linkspan changed in the Kafka cluster',
    example: 'linkspan footprint',
    load: () => import('../commands/footprint.ts'),
  },
  operation: {
    summary: 'Follow what goes on in the background',
    commands: {
      list: {
        summary: 'List operations',
        aliases: ['ls'],
        example: 'linkspan operation list',
        load: () => import('../commands/operation/list.ts'),
      },
      show: {
        summary: 'Show an operation',
        example: 'linkspan operation show 019ad0e2-6f1c-7000-8000-000000000000',
        load: () => import('../commands/operation/show.ts'),
      },
      wait: {
        summary: 'Wait for the end of an operation',
        example: 'linkspan operation wait 019ad0e2-6f1c-7000-8000-000000000000 --timeout 30',
        load: () => import('../commands/operation/wait.ts'),
      },
      delete: {
        summary: 'Cancel an operation',
        aliases: ['rm', 'cancel'],
        example: 'linkspan operation delete 019ad0e2-6f1c-7000-8000-000000000000',
        load: () => import('../commands/operation/delete.ts'),
      },
    },
  },
  monitor: {
    summary: 'Watch what happens at a daemon',
    example: ['linkspan monitor --type lifecycle --pretty', 'linkspan monitor berlin: --format json'],
    load: () => import('../commands/monitor.ts'),
  },
  query: {
    summary: 'Send one request to the REST API',
    example: [
      'linkspan query /1.0/cluster/links?recursion=1',
      'linkspan query -X PATCH /1.0/cluster/links/berlin --data \'{"description": "second site"}\'',
      'linkspan query berlin:/1.0',
    ],
    load: () => import('../commands/query.ts'),
  },
  completion: {
    summary: 'Print the script by which a shell completes commands and names',
    example: [
      'source <(linkspan completion bash)',
      'linkspan completion zsh > ~/.zfunc/_linkspan',
      'linkspan completion fish > ~/.config/fish/completions/linkspan.fish',
    ],
    load: () => import('../commands/completion.ts'),
  },
  complete: {
    summary: 'Print what could stand at the end of a command line',
    hidden: true,
    example: 'linkspan complete "linkspan cl"',
    load: () => import('../commands/complete.ts'),
  },
  version: {
    summary: 'Show the versions of this program and of the daemon',
    example: 'linkspan version berlin:',
    load: () => import('../commands/version.ts'),
  },
}
