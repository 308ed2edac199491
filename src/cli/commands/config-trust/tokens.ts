import type { Client } from '../../../client/client.ts'
import { type Operation, operationStatuses } from '../../../contract/v1.ts'
import { encodeToken } from '../../../identity/trust-token.ts'

/** A token of the older trust store: an operation that runs until the token is used, and that holds it. */
export interface StoreToken {
  operationId: string
  name: string
  token: string
  expiresAt: string
}

interface TokenMetadata {
  request: { name: string }
  secret: string
  fingerprint: string
  addresses: string[]
  expiresAt?: string
}

/** Undefined for an operation that stands for no token. */
export function storeTokenOf({ id, class: kind, status_code, metadata }: Operation): StoreToken | undefined {
  if (kind !== 'token' || status_code !== operationStatuses.Running) return undefined
  const { request, secret, fingerprint, addresses, expiresAt = '' } = (metadata ?? {}) as unknown as TokenMetadata
  if (!request?.name || !secret || !fingerprint || !addresses) return undefined
  const token = { client_name: request.name, fingerprint, addresses, secret, expires_at: expiresAt, type: '' }
  return { operationId: id, name: request.name, token: encodeToken(token), expiresAt }
}

export async function listStoreTokens({ operations }: Client): Promise<StoreToken[]> {
  return (await operations.list()).flatMap((operation) => storeTokenOf(operation) ?? [])
}
