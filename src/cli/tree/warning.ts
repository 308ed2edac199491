import type { CommandGroup } from './node.ts'

export const warningTree: CommandGroup = {
  summary: 'Look at what the daemon warns of',
  commands: {
    list: {
      summary: 'List warnings',
      aliases: ['ls'],
      example: 'linkspan warning list --all',
      load: () => import('../commands/warning/list.ts'),
    },
    show: {
      summary: 'Show a warning',
      example: 'linkspan warning show 7c028b71-6791-4101-bd21-c0044b8f254e',
      load: () => import('../commands/warning/show.ts'),
    },
    acknowledge: {
      summary: 'Acknowledge a warning, so that it is listed no more',
      aliases: ['ack'],
      example: 'linkspan warning acknowledge 7c028b71-6791-4101-bd21-c0044b8f254e',
      load: () => import('../commands/warning/acknowledge.ts'),
    },
    delete: {
      summary: 'Delete a warning, or all of them',
      aliases: ['rm'],
      example: ['linkspan warning delete 7c028b71-6791-4101-bd21-c0044b8f254e', 'linkspan warning delete --all'],
      load: () => import('../commands/warning/delete.ts'),
    },
  },
}
