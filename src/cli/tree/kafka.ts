import type { CommandGroup } from './node.ts'

const linkTree: CommandGroup = {
  summary: 'Manage cluster links, by the words of the Confluent CLI',
  commands: {
    create: {
      summary: 'Create a cluster link to a Kafka cluster',
      example: 'linkspan kafka link create east --source-bootstrap-server east-1:9092 --config link.properties',
      load: () => import('../commands/kafka/link-create.ts'),
    },
    list: {
      summary: 'List cluster links',
      aliases: ['ls'],
      example: 'linkspan kafka link list',
      load: () => import('../commands/kafka/link-list.ts'),
    },
    describe: {
      summary: 'Describe a cluster link',
      example: 'linkspan kafka link describe east',
      load: () => import('../commands/kafka/link-describe.ts'),
    },
    delete: {
      summary: 'Delete cluster links',
      example: 'linkspan kafka link delete east',
      load: () => import('../commands/kafka/link-delete.ts'),
    },
    configuration: {
      summary: 'Manage the configuration of a cluster link',
      commands: {
        list: {
          summary: 'List the configuration',
          example: 'linkspan kafka link configuration list east --changed',
          load: () => import('../commands/kafka/link-configuration-list.ts'),
        },
        update: {
          summary: 'Change the configuration',
          example: 'linkspan kafka link configuration update east --config consumer.offset.sync.enable=true',
          load: () => import('../commands/kafka/link-configuration-update.ts'),
        },
      },
    },
    task: {
      summary: 'Look at the tasks of a cluster link',
      commands: {
        list: {
          summary: 'List the tasks and their state',
          example: 'linkspan kafka link task list east',
          load: () => import('../commands/kafka/link-task-list.ts'),
        },
      },
    },
  },
}

const mirrorTree: CommandGroup = {
  summary: 'Manage mirror topics',
  commands: {
    create: {
      summary: 'Create a mirror topic',
      example: [
        'linkspan kafka mirror create orders --link east',
        'linkspan kafka mirror create orders --link east --adopt',
      ],
      load: () => import('../commands/kafka/mirror-create.ts'),
    },
    list: {
      summary: 'List mirror topics',
      aliases: ['ls'],
      example: 'linkspan kafka mirror list --link east',
      load: () => import('../commands/kafka/mirror-list.ts'),
    },
    describe: {
      summary: 'Describe a mirror topic, partition by partition',
      example: 'linkspan kafka mirror describe orders --link east',
      load: () => import('../commands/kafka/mirror-describe.ts'),
    },
    promote: {
      summary: 'Make mirror topics ordinary ones, without losing a record',
      example: [
        'linkspan kafka mirror promote orders --link east --wait',
        'linkspan kafka mirror promote --all --link east --fence-source',
      ],
      load: () => import('../commands/kafka/mirror-promote.ts'),
    },
    failover: {
      summary: 'Make mirror topics ordinary ones at once, without their source',
      example: 'linkspan kafka mirror failover orders --link east',
      load: () => import('../commands/kafka/mirror-failover.ts'),
    },
    pause: {
      summary: 'Pause mirror topics',
      example: 'linkspan kafka mirror pause orders --link east',
      load: () => import('../commands/kafka/mirror-pause.ts'),
    },
    resume: {
      summary: 'Resume mirror topics',
      example: 'linkspan kafka mirror resume orders --link east',
      load: () => import('../commands/kafka/mirror-resume.ts'),
    },
    'unfence-source': {
      summary: 'Let the writers of the sources of promoted topics write again',
      example: 'linkspan kafka mirror unfence-source orders --link east',
      load: () => import('../commands/kafka/mirror-unfence-source.ts'),
    },
    'state-transition-error': {
      summary: 'Look at what keeps a mirror topic from changing its state',
      commands: {
        list: {
          summary: 'List the errors',
          example: 'linkspan kafka mirror state-transition-error list orders --link east',
          load: () => import('../commands/kafka/mirror-errors.ts'),
        },
      },
    },
  },
}

const topicTree: CommandGroup = {
  summary: 'Manage topics',
  commands: {
    list: {
      summary: 'List topics',
      aliases: ['ls'],
      example: 'linkspan kafka topic list',
      load: () => import('../commands/kafka/topic-list.ts'),
    },
    create: {
      summary: 'Create a topic',
      example: 'linkspan kafka topic create orders --partitions 6 --config retention.ms=86400000',
      load: () => import('../commands/kafka/topic-create.ts'),
    },
    describe: {
      summary: 'Describe a topic',
      example: 'linkspan kafka topic describe orders',
      load: () => import('../commands/kafka/topic-describe.ts'),
    },
    update: {
      summary: 'Change the configuration of a topic',
      example: 'linkspan kafka topic update orders --config retention.ms=86400000',
      load: () => import('../commands/kafka/topic-update.ts'),
    },
    delete: {
      summary: 'Delete topics and all their records',
      example: 'linkspan kafka topic delete orders',
      load: () => import('../commands/kafka/topic-delete.ts'),
    },
    fence: {
      summary: 'Deny writing to a topic',
      example: 'linkspan kafka topic fence orders',
      load: () => import('../commands/kafka/topic-fence.ts'),
    },
    unfence: {
      summary: 'Let the writers of a fenced topic write again',
      example: 'linkspan kafka topic unfence orders',
      load: () => import('../commands/kafka/topic-unfence.ts'),
    },
    configuration: {
      summary: 'Manage the configuration of a topic',
      commands: {
        list: {
          summary: 'List the configuration',
          example: 'linkspan kafka topic configuration list orders',
          load: () => import('../commands/kafka/topic-configuration-list.ts'),
        },
        update: {
          summary: 'Change the configuration',
          example: 'linkspan kafka topic configuration update orders --config retention.ms=86400000',
          load: () => import('../commands/kafka/topic-update.ts'),
        },
      },
    },
  },
}

export const kafkaTree: CommandGroup = {
  summary: 'Manage links, mirrors and topics of the Kafka cluster',
  commands: { link: linkTree, mirror: mirrorTree, topic: topicTree },
}
