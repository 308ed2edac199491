import type { CommandGroup } from './node.ts'

const linkTree: CommandGroup = {
  summary: 'Manage cluster links, by the words of the Confluent CLI',
  commands: {
    create: {
      summary: 'Create a cluster link to a Kafka cluster',
      load: () => import('../commands/kafka/link-create.ts'),
    },
    list: { summary: 'List cluster links', aliases: ['ls'], load: () => import('../commands/kafka/link-list.ts') },
    describe: { summary: 'Describe a cluster link', load: () => import('../commands/kafka/link-describe.ts') },
    delete: { summary: 'Delete cluster links', load: () => import('../commands/kafka/link-delete.ts') },
    configuration: {
      summary: 'Manage the configuration of a cluster link',
      commands: {
        list: { summary: 'List the configuration', load: () => import('../commands/kafka/link-configuration-list.ts') },
        update: {
          summary: 'Change the configuration',
          load: () => import('../commands/kafka/link-configuration-update.ts'),
        },
      },
    },
    task: {
      summary: 'Look at the tasks of a cluster link',
      commands: {
        list: { summary: 'List the tasks and their state', load: () => import('../commands/kafka/link-task-list.ts') },
      },
    },
  },
}

const mirrorTree: CommandGroup = {
  summary: 'Manage mirror topics',
  commands: {
    create: { summary: 'Create a mirror topic', load: () => import('../commands/kafka/mirror-create.ts') },
    list: { summary: 'List mirror topics', aliases: ['ls'], load: () => import('../commands/kafka/mirror-list.ts') },
    describe: {
      summary: 'Describe a mirror topic, partition by partition',
      load: () => import('../commands/kafka/mirror-describe.ts'),
    },
    promote: {
      summary: 'Make mirror topics ordinary ones, without losing a record',
      load: () => import('../commands/kafka/mirror-promote.ts'),
    },
    failover: {
      summary: 'Make mirror topics ordinary ones at once, without their source',
      load: () => import('../commands/kafka/mirror-failover.ts'),
    },
    pause: { summary: 'Pause mirror topics', load: () => import('../commands/kafka/mirror-pause.ts') },
    resume: { summary: 'Resume mirror topics', load: () => import('../commands/kafka/mirror-resume.ts') },
    'unfence-source': {
      summary: 'Let the writers of the sources of promoted topics write again',
      load: () => import('../commands/kafka/mirror-unfence-source.ts'),
    },
    'state-transition-error': {
      summary: 'Look at what keeps a mirror topic from changing its state',
      commands: {
        list: { summary: 'List the errors', load: () => import('../commands/kafka/mirror-errors.ts') },
      },
    },
  },
}

const topicTree: CommandGroup = {
  summary: 'Manage topics',
  commands: {
    list: { summary: 'List topics', aliases: ['ls'], load: () => import('../commands/kafka/topic-list.ts') },
    create: { summary: 'Create a topic', load: () => import('../commands/kafka/topic-create.ts') },
    describe: { summary: 'Describe a topic', load: () => import('../commands/kafka/topic-describe.ts') },
    update: { summary: 'Change the configuration of a topic', load: () => import('../commands/kafka/topic-update.ts') },
    delete: { summary: 'Delete topics and all their records', load: () => import('../commands/kafka/topic-delete.ts') },
    fence: { summary: 'Deny writing to a topic', load: () => import('../commands/kafka/topic-fence.ts') },
    unfence: {
      summary: 'Let the writers of a fenced topic write again',
      load: () => import('../commands/kafka/topic-unfence.ts'),
    },
    configuration: {
      summary: 'Manage the configuration of a topic',
      commands: {
        list: {
          summary: 'List the configuration',
          load: () => import('../commands/kafka/topic-configuration-list.ts'),
        },
        update: { summary: 'Change the configuration', load: () => import('../commands/kafka/topic-update.ts') },
      },
    },
  },
}

export const kafkaTree: CommandGroup = {
  summary: 'Manage links, mirrors and topics of the Kafka cluster',
  commands: { link: linkTree, mirror: mirrorTree, topic: topicTree },
}
