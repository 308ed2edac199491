import type { Client } from '../../client/client.ts'
import { entitlementsOf, entityTypes, isEntityType } from '../../contract/entities.ts'
import { Context } from '../context.ts'
import type { GlobalOptions } from '../global-options.ts'
import { localRemote, parseRemoteName } from '../names.ts'
import { RemotesFolder } from '../remotes/folder.ts'

/** A person waits for every key: whatever takes longer is given up. */
const patienceMs = 250

type Lister = (client: Client, signal: AbortSignal) => Promise<string[]>

const identities: Lister = async ({ identities: calls }, signal) => {
  const all = await calls.list(signal)
  return all.map(({ name, type }) => `${type.startsWith('Cluster link') ? 'cluster-link' : 'tls'}/${name}`)
}
const links: Lister = async ({ clusterLinks }, signal) => (await clusterLinks.list(signal)).map(({ name }) => name)
const topics: Lister = async ({ kafka }, signal) => (await kafka.topics.list(signal)).map((topic) => topic.topic_name)
const mirrors: Lister = async ({ kafka }, signal) => {
  return (await kafka.mirrors.list(undefined, signal)).map(({ mirror_topic_name }) => mirror_topic_name)
}

/** By the placeholder of an argument or option. */
const listers: Record<string, Lister> = {
  link: links,
  links,
  identity: identities,
  topic: topics,
  topics,
  'mirror-topic': mirrors,
  'mirror-topics': mirrors,
  group: async ({ groups }, signal) => (await groups.list(signal)).map(({ name }) => name),
  operation: async ({ operations }, signal) => (await operations.list(signal)).map(({ id }) => id),
  warning: async ({ warnings }, signal) => (await warnings.list(signal)).map(({ uuid }) => uuid),
  fingerprint: async ({ certificates }, signal) => {
    return (await certificates.list(signal)).map(({ fingerprint }) => fingerprint.slice(0, 12))
  },
  member: async ({ members }, signal) => (await members.list(signal)).map(({ server_name }) => server_name),
}

export interface NameQuestion {
  /** That the words so far name. */
  remote: string | undefined
  /** The name is a command's first, which may have a remote. */
  isFirst: boolean
  positionals: readonly string[]
  globals: GlobalOptions
}

/** Nothing, in silence, where there is no daemon, no right, or nothing of the kind. */
export async function namesOf(kind: string, question: NameQuestion): Promise<string[]> {
  const { remote, isFirst, positionals, globals } = question
  if (kind === 'remote') return [localRemote, ...(await remotes())]
  if (kind.endsWith(':')) return [localRemote, ...(await remotes())].map((name) => `${name}:`)
  if (kind === 'right') return rightsOf(positionals.slice(1))
  const lister = kind === 'key' ? keysOf(positionals) : Object.hasOwn(listers, kind) ? listers[kind] : undefined
  if (!lister) return []
  const [names, others] = await Promise.all([
    ask(lister, globals, remote),
    isFirst && remote === undefined ? remotes() : [],
  ])
  const prefix = isFirst && remote !== undefined ? `${remote}:` : ''
  return [...names.map((name) => `${prefix}${name}`), ...others.map((name) => `${name}:`)]
}

async function ask(lister: Lister, globals: GlobalOptions, remote: string | undefined): Promise<string[]> {
  try {
    await using context = new Context(globals, remote, { dialTimeoutMs: patienceMs })
    return await lister(context.client, AbortSignal.timeout(patienceMs))
  } catch {
    return []
  }
}

async function remotes(): Promise<string[]> {
  try {
    return Object.keys((await new RemotesFolder().readConfig()).remotes)
  } catch {
    return []
  }
}

/** Of the link that is named before. */
function keysOf([link = '']: readonly string[]): Lister {
  return async ({ clusterLinks }, signal) => {
    const { value } = await clusterLinks.get(parseRemoteName(link).name, signal)
    return Object.keys(value.config)
  }
}

/** `<entity-type> [<name>] <entitlement>`. */
function rightsOf([type, ...others]: readonly string[]): string[] {
  if (type === undefined) return [...entityTypes]
  return isEntityType(type) && others.length < 2 ? entitlementsOf(type) : []
}
