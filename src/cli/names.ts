import { LinkspanError } from '../base/errors.ts'

export const localRemote = 'local'

export interface RemoteName {
  remote: string
  name: string
}

/** `[remote:]name`, split at the first colon as LXD's client does it. */
export function parseRemoteName(text: string): RemoteName {
  const colon = text.indexOf(':')
  if (colon < 0) return { remote: localRemote, name: text }
  return { remote: text.slice(0, colon) || localRemote, name: text.slice(colon + 1) }
}

/** The name of something at the local daemon, the only one that can be named yet. Throws `usage`. */
export function localName(text: string, what: string): string {
  const { name } = onlyLocal(text)
  if (name === '') throw new LinkspanError('usage', `Name the ${what}`)
  return name
}

/** For commands that take no name, only `[remote:]`. Throws `usage`. */
export function expectLocal(text: string | undefined): void {
  if (text === undefined) return
  const { name } = onlyLocal(text)
  if (name !== '') throw new LinkspanError('usage', `Expected a remote such as "${localRemote}:", got "${text}"`)
}

/** Of `query`. */
export function localPath(text: string): string {
  const path = text.startsWith('/') ? text : onlyLocal(text).name
  if (!path.startsWith('/')) throw new LinkspanError('usage', `Expected a path such as /1.0, got "${text}"`)
  return path
}

function onlyLocal(text: string): RemoteName {
  const parsed = parseRemoteName(text)
  if (parsed.remote === localRemote) return parsed
  const wayOut = `only "${localRemote}:" can be used, with --state-dir or LINKSPAN_DIR to choose the daemon`
  throw new LinkspanError('usage', `There is no remote "${parsed.remote}": ${wayOut}`)
}

export type IdentityShorthand = 'tls' | 'cluster-link'

export interface IdentityName {
  shorthand: IdentityShorthand
  nameOrId: string
}

/** `[remote:]tls/name` or `cluster-link/name`. Throws `usage`. */
export function parseIdentityName(text: string): IdentityName {
  const whole = localName(text, 'identity')
  const slash = whole.indexOf('/')
  const shorthand = whole.slice(0, Math.max(slash, 0))
  const nameOrId = whole.slice(slash + 1)
  if (slash < 0 || nameOrId === '') {
    throw new LinkspanError('usage', `Write the identity as its type and name, such as "tls/${nameOrId || 'NAME'}"`)
  }
  if (shorthand === 'tls' || shorthand === 'cluster-link') return { shorthand, nameOrId }
  throw new LinkspanError('usage', `There are no identities of type "${shorthand}": tls and cluster-link exist`)
}
