import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { LinkspanError } from '../base/errors.ts'
import type { Fingerprint } from '../base/ids.ts'
import { type CertificatePems, createCertificate, fingerprintOf, pairProblem } from './certificate.ts'
import { commitFile, readTextIfThere, stagedPath, stageFile, syncDirectory } from './files.ts'

export interface KeyPair extends CertificatePems {
  fingerprint: Fingerprint
}

/** Who we are: the host's own pair, and the cluster's, which the port serves and links present. */
export interface HostIdentity {
  readonly hostId: Fingerprint
  readonly host: KeyPair
  /** The one of this moment: it is replaced while the daemon runs. */
  readonly cluster: KeyPair
  readonly clusterFingerprint: Fingerprint
}

/** That of the daemon itself, which its certificate's rotation changes. */
export class OwnIdentity implements HostIdentity {
  readonly host: KeyPair
  cluster: KeyPair

  constructor(host: KeyPair, cluster: KeyPair) {
    this.host = host
    this.cluster = cluster
  }

  get hostId(): Fingerprint {
    return this.host.fingerprint
  }

  get clusterFingerprint(): Fingerprint {
    return this.cluster.fingerprint
  }
}

export interface IdentityOptions {
  /** The state directory: it exists, and its lock is held, so that no other daemon makes keys in it. */
  directory: string
  /** Common name of both certificates. */
  name: string
  hostNames: readonly string[]
  /** IP addresses to be named in the certificates beside loopback. */
  addresses: readonly string[]
  clock: Clock
}

/** The pairs of the state directory; made at first start. Throws `corrupt` for half a pair or two that do not match. */
export async function loadHostIdentity(options: IdentityOptions): Promise<OwnIdentity> {
  const host = await loadKeyPair('host', options)
  const cluster = await loadKeyPair('cluster', options)
  return new OwnIdentity(host, cluster)
}

/** `NAME.crt` and `NAME.key` of the directory; made when neither is there. */
export async function loadKeyPair(name: string, options: IdentityOptions): Promise<KeyPair> {
  const paths = pathsOf(options.directory, name)
  await finishInterruptedWrite(paths)
  const certificatePem = await readTextIfThere(paths.certificate)
  const privateKeyPem = await readTextIfThere(paths.key)
  if (certificatePem === undefined && privateKeyPem === undefined) return makeKeyPair(name, options)
  if (certificatePem === undefined || privateKeyPem === undefined) {
    const missing = certificatePem === undefined ? paths.certificate : paths.key
    throw brokenPair(name, options.directory, `${missing} is missing`)
  }
  return checkedPair({ certificatePem, privateKeyPem }, name, options.directory)
}

/** A pair that need not be there; half of one, which a crash can leave of a removal, is none. */
export async function findKeyPair(name: string, directory: string): Promise<KeyPair | undefined> {
  const paths = pathsOf(directory, name)
  await finishInterruptedWrite(paths)
  const certificatePem = await readTextIfThere(paths.certificate)
  const privateKeyPem = await readTextIfThere(paths.key)
  if (certificatePem === undefined || privateKeyPem === undefined) return undefined
  return checkedPair({ certificatePem, privateKeyPem }, name, directory)
}

export async function removeKeyPair(name: string, directory: string): Promise<void> {
  const { certificate, key } = pathsOf(directory, name)
  for (const path of [stagedPath(certificate), stagedPath(key), certificate, key]) await rm(path, { force: true })
  await syncDirectory(directory)
}

/** Replaces a pair, as a host does that joins a cluster and takes over the cluster's key. */
export async function storeKeyPair(directory: string, name: string, pems: CertificatePems): Promise<KeyPair> {
  const pair = checkedPair(pems, name, directory)
  const paths = pathsOf(directory, name)
  // Both are on disk before either gets its name: a crash in between is finished by the next start.
  await stageFile(paths.certificate, pair.certificatePem)
  await stageFile(paths.key, pair.privateKeyPem)
  await commitFile(paths.key)
  await commitFile(paths.certificate)
  return pair
}

interface PairPaths {
  certificate: string
  key: string
}

function pathsOf(directory: string, name: string): PairPaths {
  return { certificate: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) }
}

async function makeKeyPair(name: string, options: IdentityOptions): Promise<KeyPair> {
  const { directory, name: commonName, hostNames, addresses, clock } = options
  return storeKeyPair(directory, name, await createCertificate({ commonName, hostNames, addresses, clock }))
}

/** The key has its new name, the certificate that belongs to it only its staged one: the write had only to end. */
async function finishInterruptedWrite(paths: PairPaths): Promise<void> {
  const certificatePem = await readTextIfThere(stagedPath(paths.certificate))
  const privateKeyPem = await readTextIfThere(paths.key)
  if (certificatePem === undefined || privateKeyPem === undefined) return
  if (pairProblem({ certificatePem, privateKeyPem }) === undefined) await commitFile(paths.certificate)
}

function checkedPair(pems: CertificatePems, name: string, directory: string): KeyPair {
  const problem = pairProblem(pems)
  if (problem) throw brokenPair(name, directory, problem)
  return { ...pems, fingerprint: fingerprintOf(pems.certificatePem) }
}

function brokenPair(name: string, directory: string, problem: string): LinkspanError {
  const files = `${name}.crt and ${name}.key of ${directory}`
  const wayOut = `restore ${files} from a backup; links pin them, so do not make new ones`
  return new LinkspanError('corrupt', `The ${name} key pair is broken, ${problem}: ${wayOut}`)
}
