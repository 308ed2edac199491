import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { apis } from '../../src/wire/api/index.ts'
import { isFlexible } from '../../src/wire/codec.ts'
import { kafkaErrorTable } from '../../src/wire/errors.ts'
import type { Api } from '../../src/wire/schema.ts'
import { runOrThrow } from '../support/process.ts'
import { type KafkaLine, kafkaAvailable, kafkaJars } from './jars.ts'
import { javaCommand } from './java.ts'
import {
  type FieldShape,
  type KafkaMessage,
  kafkaIgnorable,
  kafkaMessages,
  kafkaShape,
  ourIgnorable,
  ourShape,
  versionRange,
} from './message-definitions.ts'

/** Where ours differ on purpose, with Kafka's own value. */
const deliberate: Record<string, Partial<FieldShape>> = {
  // Left out means a consumer; Kafka's zero would claim to be broker 0.
  'ListOffsetsRequest.replicaId': { default: '0' },
}

const available = await kafkaAvailable()

for (const line of ['3.9', '4'] as const satisfies KafkaLine[]) {
  describe(`our definitions and those of Kafka ${line}`, available, () => {
    let messages: Map<string, KafkaMessage>
    before(async () => {
      messages = await kafkaMessages(line)
    })

    for (const api of apis) {
      test(`${api.name}: names, types, order, nullability, tags and defaults agree in every version`, () => {
        for (const side of ['Request', 'Response'] as const) {
          const message = messages.get(`${api.name}${side}`)!
          assert.equal(message.apiKey, api.key)
          const shared = sharedVersions(api, message)
          assert.ok(shared.length > 0, 'no version in common')
          for (const version of shared) {
            assert.equal(isFlexible(api, version), version >= versionRange(message.flexibleVersions)[0])
            const ours = ourShape(side === 'Request' ? api.request : api.response, version, isFlexible(api, version))
            const theirs = kafkaShape(message, message.fields, version)
            assert.deepEqual(withDeliberate(ours, message.name), theirs, `${message.name} v${version}`)
          }
        }
      })
    }
  })
}

describe('our versions', available, () => {
  for (const api of apis) {
    test(`${api.name}: the versions of Kafka 4, and one in common with 3.9`, async () => {
      const [older, newer] = [await kafkaMessages('3.9'), await kafkaMessages('4')]
      for (const side of ['Request', 'Response'] as const) {
        const message = newer.get(`${api.name}${side}`)!
        assert.deepEqual(api.versions, versionRange(message.validVersions))
        assert.ok(versionRange(older.get(message.name)!.validVersions)[0] <= api.versions[0])
        const ours = ourIgnorable(side === 'Request' ? api.request : api.response)
        assert.deepEqual(ours, kafkaIgnorable(message, api.versions), `${message.name}: ignorable fields`)
      }
    })
  }
})

test('our errors are those of Kafka 4, and include those of 3.9', available, async () => {
  const rows = (errors: Iterable<{ code: number; name: string; retriable: boolean }>) => {
    return [...errors].map(({ code, name, retriable }) => `${code} ${name} ${retriable}`)
  }
  const ours = rows(kafkaErrorTable.values())
  assert.deepEqual(ours, rows(await kafkaErrors('4')))
  for (const row of rows(await kafkaErrors('3.9'))) assert.ok(ours.includes(row), row)
})

function sharedVersions(api: Api, message: KafkaMessage): number[] {
  const [min, max] = versionRange(message.validVersions)
  const first = Math.max(min, api.versions[0])
  const last = Math.min(max, api.versions[1])
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)
}

function withDeliberate(shapes: FieldShape[], message: string): FieldShape[] {
  return shapes.map((shape) => ({ ...shape, ...deliberate[`${message}.${shape.name}`] }))
}

/** The class prints itself as the table of Kafka's documentation. */
async function kafkaErrors(line: KafkaLine) {
  const { classpath } = await kafkaJars(line)
  const errors = 'org.apache.kafka.common.protocol.Errors'
  const { stdout } = await runOrThrow(await javaCommand(), ['-cp', classpath, errors])
  const rows = [...stdout.matchAll(/<td>(\w+)<\/td>\s*<td>(-?\d+)<\/td>\s*<td>(True|False)<\/td>/g)]
  assert.ok(rows.length > 100, `${rows.length} errors found in what Kafka ${line} prints`)
  return rows.map(([, name, code, retriable]) => ({ code: Number(code), name: name!, retriable: retriable === 'True' }))
}
