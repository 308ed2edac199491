import { open } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { LinkspanError } from '../base/errors.ts'
import { parseClientConfig } from '../kafka/config-file.ts'
import type { ClusterSpec, DirectSpec } from '../transport/spec.ts'
import { type LinkConfig, openConfig } from './config.ts'
import type { LinkContext } from './context.ts'
import { addressesOf, type LinkRow, pinOf } from './rows.ts'

export async function sourceOf(context: LinkContext, link: LinkRow): Promise<ClusterSpec> {
  const clientId = clientIdOf(link)
  if (link.reach === 'kafka') return directSpec(openConfig(context.sealer, link), clientId)
  if (link.state !== 'active' || !link.peer) throw stillPending(link)
  if (link.type === 'public') throw nothingToRead(link)
  const { certificatePem, privateKeyPem } = context.identity.cluster
  return {
    reach: 'peer',
    clientId,
    addresses: addressesOf(link),
    fingerprint: pinOf(link.peer),
    certificatePem,
    privateKeyPem,
  }
}

export function clientIdOf(link: Pick<LinkRow, 'id'>): string {
  return `linkspan-${link.id}`
}

export function stillPending(link: LinkRow): LinkspanError {
  const problem = `Cluster link ${JSON.stringify(link.name)} is still pending`
  return new LinkspanError('state-conflict', `${problem}: ${wayOutOfPending(link)}`)
}

function wayOutOfPending({ type, peer }: LinkRow): string {
  if (type === 'public') return 'create it again with --public, and accept the certificate'
  return peer
    ? 'the other cluster has to answer first'
    : 'use its token on the other cluster first, or issue it again if it was lost'
}

/** A public link shows that the other side is there, and whether it still is who it was. */
export function nothingToRead(link: LinkRow): LinkspanError {
  const problem = `Cluster link ${JSON.stringify(link.name)} is public: the other side does not know this cluster`
  const wayOut = 'nothing can be mirrored over it; make a link with a token of the other side'
  return new LinkspanError('unsupported', `${problem}, so ${wayOut}`)
}

/** Files of certificates and keys: small ones, of this host. */
const pemBytesMax = 1024 * 1024

/** Of a link's security and bootstrap keys. Throws `invalid-config`. */
export async function directSpec(config: LinkConfig, clientId: string): Promise<DirectSpec> {
  const lines = Object.entries(config.values)
    .filter(([name]) => /^(bootstrap\.servers|security\.protocol|sasl\.|ssl\.)/.test(name))
    .map(([name, value]) => `${escapeProperty(name)}=${escapeProperty(value)}`)
  const { spec } = await parseClientConfig(lines.join('\n'), { clientId }, readPemFile)
  return { ...spec, clientId }
}

/** As java.util.Properties reads it back. */
function escapeProperty(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    .replaceAll('\f', '\\f')
    .replace(/[ =:#!]/g, '\\$&')
}

async function readPemFile(path: string, key: string): Promise<string> {
  if (!isAbsolute(path)) throw unusableFile(key, 'needs the whole path of the file, from the root')
  try {
    await using file = await open(path, 'r')
    const { size } = await file.stat()
    if (size <= pemBytesMax) return await file.readFile('utf8')
  } catch (cause) {
    throw unusableFile(key, 'names a file that the daemon cannot read', cause)
  }
  throw unusableFile(key, `names a file of more than ${pemBytesMax} bytes`)
}

function unusableFile(key: string, problem: string, cause?: unknown): LinkspanError {
  return new LinkspanError('invalid-config', `The config key "${key}" ${problem}`, { details: { key }, cause })
}
