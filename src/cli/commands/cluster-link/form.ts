import { LinkspanError } from '../../../base/errors.ts'
import type { ClusterLink, ClusterLinkPut } from '../../../contract/v1.ts'
import { parseYamlMapping } from '../../yaml.ts'

/** What of a link can be changed. */
export interface LinkForm {
  description: string
  config: Record<string, string>
}

export function linkForm({ description, config }: ClusterLink): LinkForm {
  return { description, config: { ...config } }
}

/** Edited YAML: other members than description and config, as `show` prints them, are passed over. */
export async function parseLinkForm(text: string): Promise<ClusterLinkPut> {
  const { description, config } = (await parseYamlMapping(text)) as ClusterLinkPut
  return { description: description ?? '', config: config ?? {} }
}

const properties = ['description'] as const
export type LinkProperty = (typeof properties)[number]

/** Names of properties compare in any case. Throws `usage` for one that is none. */
export function linkProperty(name: string): LinkProperty {
  const found = properties.find((property) => property === name.toLowerCase())
  if (found) return found
  const wayOut = name.toLowerCase() === 'name' ? 'use "cluster link rename"' : `there is ${properties.join(', ')}`
  throw new LinkspanError('usage', `A cluster link has no property "${name}" that can be set: ${wayOut}`)
}

/** Where the other side is: the addresses of a linked cluster, or Kafka's own. */
export function linkAddresses({ config }: ClusterLink): string {
  return config['volatile.addresses'] ?? (reachesKafka(config) ? (config['bootstrap.servers'] ?? '') : '')
}

/** Nobody has used its token yet. */
export function linkIsPending({ config }: ClusterLink): boolean {
  return !config['volatile.addresses'] && !reachesKafka(config)
}

function reachesKafka(config: ClusterLink['config']): boolean {
  return config['linkspan.reach'] === 'kafka'
}
