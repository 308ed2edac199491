import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import { type EntityType, entityTypes, entityUrl, isEntityType, parseEntityUrl } from '../../../contract/entities.ts'
import type { AuthExplanation, Permission } from '../../../contract/v1.ts'
import { openContext } from '../../context.ts'
import { parseRemoteName } from '../../names.ts'
import { addShowFormat, type FormatOptions, formatOf } from '../../render/format.ts'
import { printObject } from '../../render/list.ts'
import { escapeControls } from '../../render/text.ts'

export function define(command: Command): void {
  addShowFormat(command)
    .usage('[<remote>:]<identity> <entitlement> <entity> [options]')
    .argument(
      '<identity>',
      'its name or identifier, with or without tls/ or cluster-link/; only "remote:" for yourself',
    )
    .argument('<entitlement>', 'such as can_read')
    .argument('<entity>', 'server, a type and a name such as topic/orders, or a URL such as /1.0/topics/orders')
    .addHelpText('after', `\nEntity types: ${entityTypes.join(', ')}`)
    .action(async (text: string, entitlement: string, entityText: string, options: FormatOptions) => {
      const { remote, name } = parseRemoteName(text)
      const entity = urlOf(entityText)
      await using context = openContext(command, remote)
      const question = { identity: name.replace(/^(tls|cluster-link)\//, ''), entitlement, entity }
      const explanation = await context.client.identities.explain(question)
      if (formatOf(options, 'human') !== 'human') return printObject(context, options, explanation)
      context.print(escapeControls(explanationText(explanation, name), '\n'))
    })
}

function urlOf(text: string): string {
  if (text.startsWith('/')) {
    if (parseEntityUrl(text)) return text
    throw new LinkspanError('usage', `${text} is the URL of nothing that rights can be about`)
  }
  const slash = text.indexOf('/')
  const [type = '', name = ''] = slash < 0 ? [text] : [text.slice(0, slash), text.slice(slash + 1)]
  if (!isEntityType(type)) {
    throw new LinkspanError('usage', `There is no entity type "${type}": choose among ${entityTypes.join(', ')}`)
  }
  if ((type === 'server') !== (name === '')) throw new LinkspanError('usage', `Write the entity as ${formOf(type)}`)
  return entityUrl({ type, name })
}

function formOf(type: EntityType): string {
  return type === 'server' ? 'server' : `${type}/NAME`
}

function explanationText(explanation: AuthExplanation, asked: string): string {
  const { identity, entitlement, entity, allowed, reason, granted_by: granted, would_grant: wouldGrant } = explanation
  const who = asked || identity || 'the local administrator'
  return [
    `${allowed ? 'Yes' : 'No'}: ${who} ${allowed ? 'has' : 'does not have'} ${entitlement} on ${entity}`,
    ...(reason === undefined ? [] : [reason]),
    ...granted.map(({ group, permission, implies }) => {
      const chain = implies.length > 1 ? `, by way of ${implies.join(' → ')}` : ''
      return `Group ${group} grants it by ${describe(permission)}${chain}`
    }),
    ...(wouldGrant.length === 0 ? [] : ['A group that it is in would have to hold one of these permissions:']),
    ...wouldGrant.map((permission) => `- ${describe(permission)}`),
  ].join('\n')
}

function describe({ entity_type, url, entitlement }: Permission): string {
  return entity_type === 'server' ? `server ${entitlement}` : `${entitlement} on ${url}`
}
