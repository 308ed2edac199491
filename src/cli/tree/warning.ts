import type { CommandGroup } from './node.ts'

export const warningTree: CommandGroup = {
  summary: 'Look at what the daemon warns of',
  commands: {
    list: { summary: 'List warnings', aliases: ['ls'], load: () => import('../commands/warning/list.ts') },
    show: { summary: 'Show a warning', load: () => import('../commands/warning/show.ts') },
    acknowledge: {
      summary: 'Acknowledge a warning, so that it is listed no more',
      aliases: ['ack'],
      load: () => import('../commands/warning/acknowledge.ts'),
    },
    delete: {
      summary: 'Delete a warning, or all of them',
      aliases: ['rm'],
      load: () => import('../commands/warning/delete.ts'),
    },
  },
}
