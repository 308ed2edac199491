import type { Command } from 'commander'
import { LinkspanError } from '../../../base/errors.ts'
import { openContext } from '../../context.ts'
import {
  addPermissionArguments,
  describePermission,
  findPermission,
  parsePermissionWords,
  resolvePermission,
} from './permission-form.ts'

export function define(command: Command): void {
  addPermissionArguments(command).action(async (group: string, words: string[]) => {
    const wanted = parsePermissionWords(group, words)
    await using context = openContext(command, wanted.remote)
    const { groups } = context.client
    const { value, etag } = await groups.get(wanted.group)
    const found = findPermission(value, await resolvePermission(context, wanted))
    if (!found) throw new LinkspanError('not-found', `There is no permission ${describePermission(wanted)}`)
    const permissions = value.permissions.filter((permission) => permission !== found)
    await groups.replace(wanted.group, { description: value.description, permissions }, etag)
  })
}
