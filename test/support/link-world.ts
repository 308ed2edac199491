import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Access } from '../../src/access/access.ts'
import type { IdentityCertificate } from '../../src/access/rows.ts'
import { silentLog } from '../../src/base/log.ts'
import { createCertificate, fingerprintOf } from '../../src/identity/certificate.ts'
import { loadHostIdentity } from '../../src/identity/keys.ts'
import { openSealer } from '../../src/identity/sealing.ts'
import { type LinkChange, Links } from '../../src/link/links.ts'
import { openStore, type Store } from '../../src/store/store.ts'

/** Cluster links of one daemon, without its API and its port. */
export interface World {
  links: Links
  store: Store
  access: Access
  clock: { nowMs: number; wallMs: () => number; monotonicMs: () => number }
  changes: LinkChange[]
  /** Types of the warnings that stand. */
  warned: Set<string>
}

export async function openWorld(t: TestContext, addresses: string[] = ['127.0.0.1:8443']): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'linkspan-links-'))
  const startMs = Date.now()
  const clock = { nowMs: startMs, wallMs: () => clock.nowMs, monotonicMs: () => performance.now() }
  const store = await openStore({ directory, log: silentLog })
  const access = new Access({ store, clock, log: silentLog })
  const identity = await loadHostIdentity({ directory, name: 'here', hostNames: [], addresses: [], clock })
  const sealer = await openSealer(directory)
  const warned = new Set<string>()
  const warnings = {
    raise: async ({ type }: { type: string }) => void warned.add(type),
    resolve: async ({ type }: { type: string }) => void warned.delete(type),
  }
  const options = { store, access, sealer, identity, clock, log: silentLog, addresses: () => addresses, warnings }
  const links = new Links(options)
  const changes: LinkChange[] = []
  links.onChange((change) => changes.push(change))
  t.after(async () => {
    await links[Symbol.asyncDispose]()
    access[Symbol.dispose]()
    await store[Symbol.asyncDispose]()
    await rm(directory, { recursive: true })
  })
  return { links, store, access, clock, changes, warned }
}

/** What a link is asked for with. */
export const linkRequest = (name: string, more: object = {}) => {
  return { name, description: '', config: {}, authGroups: [], ...more }
}

export async function newCertificate(clock: World['clock']): Promise<IdentityCertificate> {
  const { certificatePem: pem } = await createCertificate({ commonName: 'x', hostNames: [], addresses: [], clock })
  return { pem, fingerprint: fingerprintOf(pem), validFromMs: 0, validToMs: 1e15 }
}
