import assert from 'node:assert/strict'
import { encodeToken } from '../../src/identity/trust-token.ts'
import type { Caller } from '../../src/transport/caller.ts'
import type { TestApi } from './api-server.ts'

export async function makeGroup(server: TestApi, name: string, ...permissions: object[]): Promise<void> {
  const body = { name, description: '', permissions }
  const answer = await server.call({ method: 'POST', path: '/1.0/auth/groups', body })
  assert.equal(answer.status, 201, answer.text)
}

/** A caller that became an identity by a token that the administrator made. */
export async function joinByToken(server: TestApi, name: string, groups: string[] = []): Promise<Caller> {
  const caller = await server.stranger()
  const path = '/1.0/auth/identities/tls'
  const minted = await server.call({ method: 'POST', path, body: { name, token: true, groups } })
  assert.equal(minted.status, 201, minted.text)
  const trust_token = encodeToken(minted.metadata)
  const answer = await server.call({ as: caller, method: 'POST', path, body: { trust_token } })
  assert.equal(answer.status, 201, answer.text)
  return caller
}
