import { LinkspanError } from '../../../base/errors.ts'
import type { Tagged } from '../../../client/http.ts'
import type { Identity } from '../../../contract/v1.ts'
import type { Context } from '../../context.ts'
import type { IdentityName } from '../../names.ts'

/** Throws `not-found` also when it is of another type than the shorthand says. */
export async function getIdentity(context: Context, name: IdentityName): Promise<Tagged<Identity>> {
  const found = await context.client.identities.get(name.nameOrId)
  if (name.shorthand === 'cluster-link' && found.value.type !== 'Cluster link certificate') {
    const sentence = `The identity "${name.nameOrId}" is a "${found.value.type}": name it as tls/${name.nameOrId}`
    throw new LinkspanError('not-found', sentence)
  }
  return found
}
