import { join } from 'node:path'
import { cached } from '../../kafka/cache.ts'
import { run } from '../../support/process.ts'
import { ChildClient } from '../child-client.ts'
import type { Client } from '../client.ts'

/** librdkafka inside of its Python binding's wheel: what a machine with Python needs for it. */
const wheel = 'confluent-kafka==2.16.1'
const script = join(import.meta.dirname, '..', 'librdkafka.py')

/** librdkafka, by its Python binding. */
export function openLibrdkafka(): Client {
  const child = new ChildClient(async () => ({
    command: 'python3',
    args: ['-u', script],
    env: { PYTHONPATH: await pythonPath(), PYTHONDONTWRITEBYTECODE: '1' },
  }))
  return {
    name: 'librdkafka',
    codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    writes: { headers: 'each', timestamps: true },
    prepare: async () => {
      await pythonPath()
    },
    actions: child.actions([
      ...['createTopic', 'deleteTopic', 'describeTopic', 'describeConfigs', 'alterConfigs', 'addPartitions'],
      ...['listOffsets', 'deleteRecords', 'produce', 'consume', 'describeGroup', 'listGroups', 'committed'],
      ...['commit', 'deleteGroup', 'transact', 'createAcl'],
    ] as const),
    join: (kafka, step) => child.join(kafka, step),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}

function pythonPath(): Promise<string> {
  return cached(`python-${wheel.replace('==', '-')}`, async (target) => {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', target, wheel]
    const { code, stderr } = await run('python3', pip, { timeoutMs: 300_000 })
    if (code === 0) return
    const reason = stderr.trim().split('\n').at(-1)
    throw new Error(`Tests with librdkafka's Python binding let "python3 -m pip" bring ${wheel}: ${reason}`)
  })
}
