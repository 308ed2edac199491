import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import {
  type Entitlement,
  type EntityType,
  entitlementsOf,
  entityTypes,
  isEntitlementOf,
  isEntityType,
} from '../../../contract/entities.ts'
import { parseEntityPattern, patternUrl } from '../../../contract/patterns.ts'
import type { AuthGroup, Permission } from '../../../contract/v1.ts'
import type { Context } from '../../context.ts'
import { parseIdentityName, parseName } from '../../names.ts'

export interface PermissionWords {
  remote: string | undefined
  group: string
  type: EntityType
  /** Undefined: all of the type, or the server. */
  name: string | undefined
  entitlement: Entitlement
}

export function addPermissionArguments(command: Command): Command {
  return command
    .usage('[<remote>:]<group> <entity-type> [<entity-name>] <entitlement> [options]')
    .argument('<group>', 'the group')
    .argument('<right...>', 'what the permission is about, and what it permits')
    .addHelpText('after', `${help}\n\nEntity types: ${entityTypes.join(', ')}`)
}

const help = `
Without a name the permission is about all entities of the type; a "*" at the end of a name stands for any ending.
Topics whose names begin with "__" are in neither.`

/** `<type> [<name>] <entitlement> [project=…]`. Throws `usage` with the names that there are. */
export function parsePermissionWords(group: string, words: readonly string[]): PermissionWords {
  // LXD's clients are told to add the project of an instance; there are none here.
  const [type = '', ...rest] = words.filter((word, index) => index === 0 || !word.startsWith('project='))
  if (!isEntityType(type)) {
    throw new LinkspanError('usage', `There is no entity type "${type}": choose among ${entityTypes.join(', ')}`)
  }
  const entitlement = rest.at(-1) ?? ''
  const [name, ...excess] = rest.slice(0, -1)
  if (rest.length === 0 || excess.length > 0 || (type === 'server' && name !== undefined)) {
    const form = type === 'server' ? 'server <entitlement>' : `${type} [<name>] <entitlement>`
    throw new LinkspanError('usage', `Expected "<group> ${form}"`)
  }
  if (!isEntitlementOf(type, entitlement)) {
    const known = entitlementsOf(type).join(', ')
    throw new LinkspanError('usage', `There is no entitlement "${entitlement}" on ${type}: choose among ${known}`)
  }
  const { remote, name: groupName } = parseName(group, 'group')
  return { remote, group: groupName, type, name, entitlement }
}

/** As the API writes it. An identity can be meant by its name, too. */
export async function resolvePermission(context: Context, words: PermissionWords): Promise<Permission> {
  const { type, name, entitlement } = words
  const entityName = type === 'identity' && name !== undefined ? await identityId(context, name) : name
  return { entity_type: type, url: urlOf(type, entityName), entitlement }
}

async function identityId(context: Context, text: string): Promise<string> {
  if (text.endsWith('*')) return text
  const { nameOrId } = parseIdentityName(text.includes('/') ? text : `tls/${text}`)
  return (await context.client.identities.get(nameOrId)).value.id
}

function urlOf(type: EntityType, name: string | undefined): string {
  if (name === undefined || name === '*') return patternUrl({ type, kind: 'all', name: '' })
  const isPrefix = /(?<!\\)\*$/.test(name)
  const plain = (isPrefix ? name.slice(0, -1) : name).replaceAll('\\*', '*')
  return patternUrl({ type, kind: isPrefix ? 'prefix' : 'exact', name: plain })
}

export function findPermission({ permissions }: AuthGroup, wanted: Permission): Permission | undefined {
  return permissions.find((permission) => {
    return permission.entitlement === wanted.entitlement && canonicalUrl(permission.url) === canonicalUrl(wanted.url)
  })
}

function canonicalUrl(url: string): string {
  const pattern = parseEntityPattern(url)
  return pattern ? patternUrl(pattern) : url
}

export function describePermission({ group, type, name, entitlement }: PermissionWords): string {
  const subject = type === 'server' ? 'the server' : name === undefined ? `all of ${type}` : `${type} ${name}`
  return `"${entitlement}" on ${subject} in group ${group}`
}
