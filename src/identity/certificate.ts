import { createHash, createPrivateKey, KeyObject, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Clock } from '../base/clock.ts'
import { explainError, LinkspanError } from '../base/errors.ts'
import type { Fingerprint } from '../base/ids.ts'

export interface CertificateRequest {
  commonName: string
  /** DNS names that the certificate answers for. LXD's client needs at least one, so one is put in if there is none. */
  hostNames: readonly string[]
  /** IP addresses beside the two loopback ones, which are always in. */
  addresses: readonly string[]
  clock: Clock
}

export interface CertificatePems {
  certificatePem: string
  /** PKCS #8. */
  privateKeyPem: string
}

/** Ten years, as LXD's own; a pin is renewed by linking again, not by expiry. */
const validityYears = 10
/** Peers whose clock is behind, or in another zone than it says, must not see a certificate of the future. */
const backdatedMs = 86_400_000
const rsaBitsMin = 2048
const curves = ['prime256v1', 'secp384r1', 'secp521r1']
const certificateCharactersMax = 64 * 1024
const loopbackAddresses = ['127.0.0.1', '::1']
const dnsName = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i

/**
 * A new P-384 key and its self-signed certificate, which serves and dials alike. The DNS names stand first among the
 * alternative names, because LXD's client takes the first one for the server's name.
 */
export async function createCertificate(request: CertificateRequest): Promise<CertificatePems> {
  const x509 = await loadX509()
  const algorithm = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const notBefore = new Date(request.clock.wallMs() - backdatedMs)
  const notAfter = new Date(notBefore)
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + validityYears)
  const usages = x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment
  const purposes = [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      name: [{ O: ['Linkspan'] }, { CN: [request.commonName] }],
      serialNumber: randomSerialNumber(),
      notBefore,
      notAfter,
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(usages, true),
        new x509.ExtendedKeyUsageExtension(purposes, false),
        new x509.SubjectAlternativeNameExtension(alternativeNames(request), false),
      ],
    },
    crypto,
  )
  return {
    certificatePem: new X509Certificate(Buffer.from(certificate.rawData)).toString(),
    privateKeyPem: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }) as string,
  }
}

/** Only whoever makes a certificate pays for the library: 70 ms, and it wants its polyfill loaded first. */
async function loadX509() {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

function randomSerialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[0] = (bytes[0]! & 0x3f) | 0x40 // positive, and of full length: RFC 5280 §4.1.2.2
  return Buffer.from(bytes).toString('hex')
}

function alternativeNames(request: CertificateRequest): { type: 'dns' | 'ip'; value: string }[] {
  const hostNames = request.hostNames.filter((name) => dnsName.test(name) && isIP(name) === 0)
  const addresses = [...loopbackAddresses, ...request.addresses.filter((address) => isIP(address) !== 0)]
  const dns = new Set(hostNames.length > 0 ? hostNames : ['linkspan'])
  return [
    ...[...dns].map((value) => ({ type: 'dns' as const, value })),
    ...[...new Set(addresses)].map((value) => ({ type: 'ip' as const, value })),
  ]
}

/** SHA-256 of the certificate's DER: what every pin compares. Text is taken for PEM, bytes for DER. */
export function fingerprintOf(certificate: string | Uint8Array | X509Certificate): Fingerprint {
  const der = certificate instanceof Uint8Array ? certificate : asCertificate(certificate).raw
  return createHash('sha256').update(der).digest('hex')
}

function asCertificate(certificate: string | X509Certificate): X509Certificate {
  return typeof certificate === 'string' ? readCertificate(certificate) : certificate
}

/**
 * The first certificate of a PEM text, or of the bare base64 of its DER (LXD's `config trust add` sends that), if it is
 * valid now and its key is strong enough. Throws `invalid-request`.
 */
export function parseCertificate(text: string, clock: Clock): X509Certificate {
  const certificate = readCertificate(text)
  checkValidity(certificate, clock)
  checkKey(certificate)
  return certificate
}

/** Undefined when its subject has none. */
export function commonNameOf(certificatePem: string): string | undefined {
  return /^CN=(.+)$/m.exec(readCertificate(certificatePem).subject)?.[1]
}

/** Its last moment, in milliseconds since the epoch. */
export function certificateEndMs(certificatePem: string): number {
  return readCertificate(certificatePem).validToDate.getTime()
}

function readCertificate(text: string): X509Certificate {
  if (text.length > certificateCharactersMax) {
    throw new LinkspanError('invalid-request', `A certificate has at most ${certificateCharactersMax} characters`)
  }
  const isPem = text.includes('-----BEGIN')
  try {
    return new X509Certificate(isPem ? text : Buffer.from(text.trim(), 'base64'))
  } catch (cause) {
    const sentence = 'Not a certificate: give the PEM text, from "-----BEGIN CERTIFICATE-----" to the END line'
    throw new LinkspanError('invalid-request', sentence, { cause })
  }
}

function checkValidity(certificate: X509Certificate, clock: Clock): void {
  const nowMs = clock.wallMs()
  const when = (date: Date) => date.toISOString()
  if (nowMs < certificate.validFromDate.getTime()) {
    const sentence = `The certificate is not valid before ${when(certificate.validFromDate)}; compare the clocks`
    throw new LinkspanError('invalid-request', sentence)
  }
  if (nowMs > certificate.validToDate.getTime()) {
    const sentence = `The certificate expired at ${when(certificate.validToDate)}; make a new one`
    throw new LinkspanError('invalid-request', sentence)
  }
}

function checkKey(certificate: X509Certificate): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = readPublicKey(certificate)
  if (type === 'ed25519') return
  if (type === 'rsa' || type === 'rsa-pss') {
    const bits = details?.modulusLength ?? 0
    if (bits >= rsaBitsMin) return
    throw new LinkspanError('invalid-request', `The certificate's RSA key has ${bits} bits; use ${rsaBitsMin} or more`)
  }
  if (type === 'ec' && curves.includes(details?.namedCurve ?? '')) return
  const found = [type, details?.namedCurve].filter(Boolean).join(' ')
  throw new LinkspanError('invalid-request', `The certificate's key is of type ${found}; use ECDSA P-384 instead`)
}

function readPublicKey(certificate: X509Certificate): KeyObject {
  try {
    return certificate.publicKey
  } catch (cause) {
    throw new LinkspanError('invalid-request', "The certificate's public key cannot be read; use ECDSA P-384", {
      cause,
    })
  }
}

/** Why these two texts are not a usable pair, or undefined when they are. */
export function pairProblem(pair: CertificatePems): string | undefined {
  try {
    const certificate = new X509Certificate(pair.certificatePem)
    const key = createPrivateKey(pair.privateKeyPem)
    return certificate.checkPrivateKey(key) ? undefined : 'the key does not belong to the certificate'
  } catch (error) {
    return `one of the two cannot be read (${explainError(error)})`
  }
}
