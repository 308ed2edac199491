import type { Command } from 'commander'
import { explainError, isLinkspanError, LinkspanError } from '../../../base/errors.ts'
import type { TrustTokenObject } from '../../../contract/v1.ts'
import { encodeToken } from '../../../identity/trust-token.ts'
import { type Context, openContext } from '../../context.ts'
import { Interruption } from '../../interruption.ts'
import { localRemote, parseRemote } from '../../names.ts'
import { collectList } from '../../pairs.ts'

interface Options {
  authGroup?: string[]
  authGroupA?: string[]
  authGroupB?: string[]
  nameA?: string
  nameB?: string
}

export function define(command: Command): void {
  command
    .usage('<a>: <b>: [options]')
    .argument('<a:>', 'the remote of one cluster')
    .argument('<b:>', 'the remote of the other')
    .option('-g, --auth-group <group>', 'group that each is put in at the other; may be repeated', collectList)
    .option('--auth-group-a <group>', 'further group that a is put in, at b', collectList)
    .option('--auth-group-b <group>', 'further group that b is put in, at a', collectList)
    .option('--name-a <name>', 'what b calls a; the name of its remote unless told')
    .option('--name-b <name>', 'what a calls b; the name of its remote unless told')
    .addHelpText('after', help)
    .action(async (textA: string, textB: string, options: Options) => {
      await using contextA = openContext(command, parseRemote(textA))
      await using contextB = openContext(command, parseRemote(textB))
      const a = await sideOf(contextA, { name: options.nameA, groups: options.authGroupA, options })
      const b = await sideOf(contextB, { name: options.nameB, groups: options.authGroupB, options })
      await connect(a, b)
      contextA.say(`Cluster links ${a.remote}:${b.name} and ${b.remote}:${a.name} created`)
    })
}

const help = `
A token is made at a and used at b, which dials a. When that fails, nothing of it stays on either side.`

interface Side {
  context: Context
  remote: string
  /** What the other side calls it. */
  name: string
  /** That it is put in at the other side. */
  groups: string[]
}

async function sideOf(
  context: Context,
  { name, groups = [], options }: { name: string | undefined; groups: string[] | undefined; options: Options },
): Promise<Side> {
  const remote = await context.remote()
  const shared = { context, remote, groups: [...(options.authGroup ?? []), ...groups] }
  if (name !== undefined) return { ...shared, name }
  if (remote !== localRemote) return { ...shared, name: remote }
  const { value } = await context.client.server.get()
  return { ...shared, name: value.environment?.server_name ?? localRemote }
}

async function connect(a: Side, b: Side): Promise<void> {
  if (a.remote === b.remote) throw new LinkspanError('usage', `Name two remotes: "${a.remote}:" is only one`)
  await Promise.all([checkFree(a, b.name), checkFree(b, a.name)])
  const { clusterLinks } = a.context.client
  const body = { type: 'bidirectional', description: '', config: {} }
  using interruption = new Interruption()
  const minted = await clusterLinks.create({ ...body, name: b.name, trust_token: '', auth_groups: b.groups })
  try {
    const token = encodeToken(minted.metadata as TrustTokenObject)
    const used = { ...body, name: a.name, trust_token: token, auth_groups: a.groups }
    await b.context.client.clusterLinks.create(used, interruption.signal)
  } catch (error) {
    throw await undone(error, a, b)
  }
}

/** So that whatever has this name afterwards was made here, and may be taken away again. */
async function checkFree({ context, remote }: Side, name: string): Promise<void> {
  if (!(await hasLink(context, name))) return
  const wayOut = 'choose another name with --name-a or --name-b, or delete that one first'
  throw new LinkspanError('already-exists', `There is a cluster link "${name}" at ${remote}: already: ${wayOut}`)
}

async function hasLink({ client }: Context, name: string): Promise<boolean> {
  try {
    await client.clusterLinks.get(name)
    return true
  } catch (error) {
    if (isLinkspanError(error, 'not-found')) return false
    throw error
  }
}

/** Takes away what there is of the link, and tells what could not be; `cause` is why. */
async function undone(cause: unknown, a: Side, b: Side): Promise<unknown> {
  const left: string[] = []
  for (const [{ context, remote }, { name }] of [
    [a, b],
    [b, a],
  ] as const) {
    try {
      if (await hasLink(context, name)) await context.client.clusterLinks.delete(name)
    } catch (error) {
      left.push(`"linkspan cluster link delete ${remote}:${name}" (it failed: ${explainError(error)})`)
    }
  }
  if (left.length === 0) return cause
  const code = isLinkspanError(cause) ? cause.code : 'internal'
  return new LinkspanError(code, `${explainError(cause)}; something of the link is left, use ${left.join(' and ')}`)
}
