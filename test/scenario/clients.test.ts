import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { findClients, noClients } from '../clients/clients.ts'
import { differences } from '../clients/compare.ts'
import { CheckRun, type Target } from '../clients/run-check.ts'
import { type ClientName, clientNames, type Json, type SingleStep, type Step } from '../clients/steps.ts'
import { checks, sharedChecks } from '../clients/table.ts'
import { kafkaAvailable } from '../kafka/jars.ts'
import { formatProperties } from '../kafka/properties.ts'
import { adminOf } from '../kafka/raw-log.ts'
import { sharedKafka } from '../kafka/shared.ts'
import { type KafkaAddress, plainAddress } from '../kafka/tools.ts'
import { embeddedBroker, startDaemon } from '../support/daemon.ts'

const kafka = await kafkaAvailable('4')
const found = kafka.skip ? noClients(kafka.skip) : await findClients()
after(() => found[Symbol.asyncDispose]())

/** As the Apache Kafka of the tests is set. */
const brokerConfig = { 'auto.create.topics.enable': 'false' }
/** Two cores and two brokers are busy with so many; most checks wait for a rebalance or a Java. */
const checksAtOnce = 5

for (const name of clientNames) {
  const reason = found.missing.get(name)
  test(`${name} can be had`, { skip: process.env.CI ? false : (reason ?? false) }, () => {
    assert.equal(reason, undefined)
  })
}

describe('any Kafka client does the same with Apache Kafka and with the embedded broker', {
  ...kafka,
  concurrency: checksAtOnce,
}, () => {
  const stack = new AsyncDisposableStack()
  const targets: Target[] = []
  before(async () => {
    const [apache, embedded] = await Promise.all([sharedKafka('4'), startEmbedded(stack)])
    for (const [name, address] of [['apache', apache] as const, ['embedded', embedded] as const]) {
      targets.push({ name, kafka: address, witness: stack.use(adminOf(address)) })
    }
  })
  after(() => stack.disposeAsync())

  for (const [index, check] of sharedChecks.entries()) {
    const clients = check.clients.filter((name) => found.clients.has(name))
    const steps = check.steps(clients)
    test(check.name, () => compare(targets, steps, { by: clients[0]!, prefix: `shared-${index}` }))
  }
  for (const [index, check] of checks.entries()) {
    for (const by of check.clients) {
      const steps = check.steps(by)
      const skip = missingOf(steps, by)
      test(`${by}: ${check.name}`, { skip }, () => compare(targets, steps, { by, prefix: `${by}-${index}` }))
    }
  }
})

test('the comparison tells what differs, and holds a limit to its own answer', () => {
  const asked: SingleStep = { do: 'listGroups', group: 'g' }
  const limit = { answer: { error: 'UNSUPPORTED_VERSION' }, because: 'it is one' }
  const compared = (step: SingleStep, apache: Json, embedded: Json) => {
    const answers = Object.entries({ apache, embedded } as const)
    return differences(
      answers.map(([target, answer]) => ({ target: target as Target['name'], told: [{ at: '1', step, answer }] })),
    )
  }
  assert.deepEqual(compared(asked, true, false), ['1: apache answered true, embedded false'])
  assert.deepEqual(compared({ ...asked, expect: true }, true, false), ['1: embedded answered false, not true'])
  const named = (message: string) => ({ error: 'INVALID_CONFIG', message })
  assert.deepEqual(compared(asked, named('no'), named('no: use another one')), [])
  assert.deepEqual(compared({ ...asked, expect: true, embedded: limit }, true, limit.answer), [])
  assert.equal(compared({ ...asked, expect: true, embedded: limit }, true, true).length, 1)
})

/** The reason why the clients that take part cannot all be had. */
function missingOf(steps: readonly Step[], by: ClientName): string | false {
  const names = steps.flatMap((step): ClientName[] => clientsOf(step, by))
  const missing = names.find((name) => found.missing.has(name))
  return missing === undefined ? false : found.missing.get(missing)!
}

function clientsOf(step: Step, by: ClientName): ClientName[] {
  return 'steps' in step ? step.steps.flatMap((inner) => clientsOf(inner, by)) : [step.by ?? by]
}

async function compare(
  targets: readonly Target[],
  steps: readonly Step[],
  { by, prefix }: { by: ClientName; prefix: string },
): Promise<void> {
  const outcomes = await Promise.allSettled(
    targets.map(async (target) => {
      await using run = new CheckRun(target, found.clients, `clients-${process.pid}-${prefix}`)
      return { target: target.name, told: await run.run(steps, by) }
    }),
  )
  const failures = outcomes.flatMap((one) => (one.status === 'rejected' ? [(one.reason as Error).message] : []))
  if (failures.length > 0) assert.fail(failures.join('\n'))
  const answers = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  assert.deepEqual(differences(answers), [])
}

async function startEmbedded(stack: AsyncDisposableStack): Promise<KafkaAddress> {
  const folder = await mkdtemp(join(tmpdir(), 'linkspan-broker-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'broker.properties')
  await writeFile(file, formatProperties(brokerConfig))
  const daemon = stack.use(await startDaemon({ kafka: embeddedBroker, args: ['--broker-config', file] }))
  return plainAddress('4', daemon.ready.kafka)
}
