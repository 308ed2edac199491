import { type Check, type ClientName, clientNames, type Json, type SharedCheck, type Step } from '../steps.ts'

const partitions = 4
const recordsPerRound = 5

/** Somebody else, who asks the broker what became of the group. */
const observers: Record<ClientName, ClientName> = {
  kcat: 'librdkafka',
  kafkajs: 'platformatic',
  platformatic: 'kafkajs',
  java: 'franz-go',
  librdkafka: 'kafkajs',
  'franz-go': 'librdkafka',
}

function valueAt(round: number, partition: number, index: number): string {
  return `round ${round}: ${partition}/${index}`
}

/** Some records into every partition. */
function fill(round: number): Step {
  const steps = Array.from({ length: partitions }, (_, partition): Step => {
    const records = Array.from({ length: recordsPerRound }, (__, index) => ({
      value: valueAt(round, partition, index),
    }))
    return { do: 'produce', by: 'kafkajs', topic: 'shared', partition, records, expect: 'done' }
  })
  return { do: 'together', steps }
}

function seenAfter(rounds: number): Json {
  const ofPartition = (partition: number) => {
    return Array.from({ length: rounds }, (_, round) => round).flatMap((round) => {
      return Array.from({ length: recordsPerRound }, (_, index) => valueAt(round, partition, index))
    })
  }
  return Object.fromEntries(Array.from({ length: partitions }, (_, partition) => [partition, ofPartition(partition)]))
}

const all = Array.from({ length: partitions }, (_, partition) => partition)
const recordsPerRoundOfAll = recordsPerRound * partitions

function rebalances(client: ClientName, more: { assignor?: 'cooperative-sticky' }): Step[] {
  const observer = observers[client]
  const group = { group: 'team', topic: 'shared' }
  const ends = Object.fromEntries(all.map((partition) => [partition, 3 * recordsPerRound]))
  return [
    { do: 'createTopic', by: 'kafkajs', topic: 'shared', partitions, expect: 'done' },
    fill(0),
    { do: 'join', member: 'first', ...group, ...more, expect: 'done' },
    { do: 'assigned', sizes: { first: partitions }, expect: all },
    { do: 'seen', members: ['first'], count: recordsPerRoundOfAll, expect: seenAfter(1) },
    { do: 'join', member: 'second', ...group, ...more, expect: 'done' },
    { do: 'assigned', sizes: { first: 2, second: 2 }, expect: all },
    fill(1),
    { do: 'seen', members: ['first', 'second'], count: 2 * recordsPerRoundOfAll, expect: seenAfter(2) },
    {
      do: 'together',
      steps: [
        { do: 'describeGroup', by: observer, group: 'team' },
        { do: 'listGroups', by: observer, group: 'team', expect: true },
        { do: 'deleteGroup', by: observer, group: 'team', expect: { error: 'NON_EMPTY_GROUP' } },
      ],
    },
    { do: 'leave', member: 'first', expect: 'done' },
    { do: 'assigned', sizes: { second: partitions }, expect: all },
    fill(2),
    { do: 'seen', members: ['first', 'second'], count: 3 * recordsPerRoundOfAll, expect: seenAfter(3) },
    { do: 'leave', member: 'second', expect: 'done' },
    {
      do: 'together',
      steps: [
        { do: 'committed', by: observer, ...group, partitions, expect: ends },
        { do: 'describeGroup', by: observer, group: 'team', expect: { state: 'Empty', members: 0, assigned: [] } },
      ],
    },
    { do: 'deleteGroup', by: observer, group: 'team', expect: 'done' },
    { do: 'listGroups', by: observer, group: 'team', expect: false },
  ]
}

export const rebalancedGroups: Check = {
  name: 'a group of two over four partitions: one joins late, one leaves',
  clients: clientNames,
  steps: (client) => rebalances(client, {}),
}

export const cooperativeGroups: Check = {
  name: 'the same with partitions handed over one by one',
  clients: ['java', 'librdkafka', 'franz-go'],
  steps: (client) => rebalances(client, { assignor: 'cooperative-sticky' }),
}

/** A member with a name of its own comes back to what it had, without a rebalance. */
export const staticMembers: Check = {
  name: 'a static member that comes back',
  clients: ['kcat', 'librdkafka', 'franz-go'],
  steps: () => {
    const group = { group: 'fixed', topic: 'shared' }
    return [
      { do: 'createTopic', by: 'kafkajs', topic: 'shared', partitions, expect: 'done' },
      { do: 'join', member: 'one', ...group, instanceId: 'one', expect: 'done' },
      { do: 'assigned', sizes: { one: 4 }, expect: all },
      { do: 'join', member: 'two', ...group, instanceId: 'two', expect: 'done' },
      { do: 'assigned', sizes: { one: 2, two: 2 }, expect: all },
      { do: 'leave', member: 'one', expect: 'done' },
      { do: 'describeGroup', by: 'kafkajs', group: 'fixed' },
      { do: 'join', member: 'again', ...group, instanceId: 'one', expect: 'done' },
      { do: 'assigned', sizes: { again: 2, two: 2 }, expect: all },
      { do: 'describeGroup', by: 'kafkajs', group: 'fixed' },
    ]
  },
}

/** A member that dies is missed after its session's time. */
export const deadMembers: Check = {
  name: 'a member that is killed',
  clients: ['kcat'],
  steps: () => {
    const member = { do: 'join', group: 'mortal', topic: 'shared', sessionTimeoutMs: 6000, expect: 'done' } as const
    return [
      { do: 'createTopic', by: 'kafkajs', topic: 'shared', partitions, expect: 'done' },
      { ...member, member: 'one' },
      { do: 'assigned', sizes: { one: 4 }, expect: all },
      { ...member, member: 'two' },
      { do: 'assigned', sizes: { one: 2, two: 2 }, expect: all },
      { do: 'kill', member: 'one', expect: 'done' },
      { do: 'assigned', sizes: { two: 4 }, expect: all },
    ]
  },
}

/** Those that know one way to assign partitions by the same name. */
export const mixedGroup: SharedCheck = {
  name: 'a group whose members are of different clients',
  clients: ['java', 'kcat', 'librdkafka', 'franz-go'],
  steps: (clients) => {
    const group = { group: 'mixed', topic: 'shared' }
    const count = clients.length * recordsPerRound
    const sizes = Object.fromEntries(clients.map((name) => [name, 1]))
    const numbers = clients.map((_, partition) => partition)
    const values = (partition: number) => {
      return Array.from({ length: recordsPerRound }, (_, index) => ({ value: valueAt(0, partition, index) }))
    }
    return [
      { do: 'createTopic', by: 'kafkajs', topic: 'shared', partitions: clients.length, expect: 'done' },
      {
        do: 'together',
        steps: clients.map((by): Step => ({ do: 'join', by, member: by, ...group, expect: 'done' })),
      },
      { do: 'assigned', sizes, expect: numbers },
      {
        do: 'together',
        steps: numbers.map((partition): Step => {
          const written = { topic: 'shared', partition, records: values(partition) }
          return { do: 'produce', by: 'kafkajs', ...written, expect: 'done' }
        }),
      },
      {
        do: 'seen',
        members: [...clients],
        count,
        expect: Object.fromEntries(numbers.map((at) => [at, values(at).map(({ value }) => value)])),
      },
      {
        do: 'describeGroup',
        by: 'kafkajs',
        group: 'mixed',
        expect: { state: 'Stable', members: clients.length, assigned: numbers.map((at) => [at]) },
      },
      { do: 'together', steps: clients.map((member): Step => ({ do: 'leave', member, expect: 'done' })) },
      {
        do: 'committed',
        by: 'platformatic',
        ...group,
        partitions: clients.length,
        expect: Object.fromEntries(numbers.map((at) => [at, recordsPerRound])),
      },
    ]
  },
}
