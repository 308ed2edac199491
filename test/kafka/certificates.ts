import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

export interface KeyPair {
  certificate: string
  /** PKCS#8. */
  key: string
}

/** PEM texts: an authority of this test run, a certificate for 127.0.0.1 and localhost, and clients' as asked for. */
export interface Certificates {
  authority: string
  server: KeyPair
  client(name: string): Promise<KeyPair>
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const lifetimeMs = 24 * 3600 * 1000

export async function makeCertificates(): Promise<Certificates> {
  x509.cryptoProvider.set(webcrypto)
  const keys = await generateKeys()
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    serialNumber: '01',
    name: 'CN=linkspan test authority',
    keys,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  })
  const issue = (name: string, extensions: x509.Extension[]) => issueLeaf(authority, keys.privateKey, name, extensions)
  const hosts: x509.JsonGeneralNames = [
    { type: 'dns', value: 'localhost' },
    { type: 'ip', value: '127.0.0.1' },
  ]
  return {
    authority: authority.toString('pem'),
    server: await issue('127.0.0.1', [new x509.SubjectAlternativeNameExtension(hosts)]),
    client: (name) => issue(name, []),
  }
}

async function issueLeaf(
  authority: x509.X509Certificate,
  signingKey: webcrypto.CryptoKey,
  name: string,
  extensions: x509.Extension[],
): Promise<KeyPair> {
  const keys = await generateKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(),
    subject: `CN=${name}`,
    issuer: authority.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(false), ...extensions],
  })
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { certificate: certificate.toString('pem'), key: x509.PemConverter.encode(key, 'PRIVATE KEY') }
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
}

function validity(): { notBefore: Date; notAfter: Date } {
  const now = Date.now()
  return { notBefore: new Date(now - lifetimeMs), notAfter: new Date(now + lifetimeMs) }
}
