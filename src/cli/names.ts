import { LinkspanError } from '../base/errors.ts'

/** The daemon of this machine, by its administrator's socket. */
export const localRemote = 'local'

/** Something at a daemon: `remote` is undefined where the text names none, which means the default one. */
export interface RemoteName {
  remote: string | undefined
  name: string
}

/** `[remote:]name`, split at the first colon as LXD's client does it; but no remote has a slash in its name. */
export function parseRemoteName(text: string): RemoteName {
  const [prefix, remote] = /^([^/:]*):/.exec(text) ?? ['', undefined]
  return { remote: remote || undefined, name: text.slice(prefix.length) }
}

/** The same where there has to be a name. Throws `usage`. */
export function parseName(text: string, what: string): RemoteName {
  const parsed = parseRemoteName(text)
  if (parsed.name === '') throw new LinkspanError('usage', `Name the ${what}`)
  return parsed
}

/** Several of one remote: any of them may name it, and `remote:` alone names only that. Throws `usage`. */
export function parseNames(texts: readonly string[]): { remote: string | undefined; names: string[] } {
  const parsed = texts.map(parseRemoteName)
  const remotes = new Set(parsed.flatMap(({ remote }) => remote ?? []))
  if (remotes.size > 1) throw new LinkspanError('usage', `Name one remote, not ${[...remotes].join(' and ')}`)
  const [remote] = remotes
  return { remote, names: parsed.flatMap(({ name }) => (name === '' ? [] : [name])) }
}

/** For commands that take no name, only `[remote:]`. Throws `usage`. */
export function parseRemote(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const { remote, name } = parseRemoteName(text)
  if (name === '') return remote
  throw new LinkspanError('usage', `Expected a remote such as "${localRemote}:", got "${text}"`)
}

/** The remote itself, with or without its colon: for the commands that manage remotes. */
export function parseRemoteItself(text: string): string {
  return text.endsWith(':') ? text.slice(0, -1) : text
}

/** Of `query`. */
export function parsePath(text: string): { remote: string | undefined; path: string } {
  const { remote, name: path } = parseRemoteName(text)
  if (!path.startsWith('/')) throw new LinkspanError('usage', `Expected a path such as /1.0, got "${text}"`)
  return { remote, path }
}

export type IdentityShorthand = 'tls' | 'cluster-link'

export interface IdentityName {
  remote: string | undefined
  shorthand: IdentityShorthand
  nameOrId: string
}

/** `[remote:]tls/name` or `cluster-link/name`. Throws `usage`. */
export function parseIdentityName(text: string): IdentityName {
  const { remote, name: whole } = parseName(text, 'identity')
  const slash = whole.indexOf('/')
  const shorthand = whole.slice(0, Math.max(slash, 0))
  const nameOrId = whole.slice(slash + 1)
  if (slash < 0 || nameOrId === '') {
    throw new LinkspanError('usage', `Write the identity as its type and name, such as "tls/${nameOrId || 'NAME'}"`)
  }
  if (shorthand === 'tls' || shorthand === 'cluster-link') return { remote, shorthand, nameOrId }
  throw new LinkspanError('usage', `There are no identities of type "${shorthand}": tls and cluster-link exist`)
}
