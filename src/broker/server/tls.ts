import type { TlsOptions } from 'node:tls'
import type { ServerCertificate } from '../config.ts'

/** Any certificate may be shown, or none: pins decide who a client is, by the newest snapshot, never roots or names. */
const rootsDecide = false

/** Kafka's clients on older Javas know no TLS 1.3. */
export function tlsOptions(certificate: ServerCertificate, handshakeTimeoutMs: number): TlsOptions {
  const { certificatePem, privateKeyPem, privateKeyPassword } = certificate
  return {
    cert: certificatePem,
    key: privateKeyPem,
    ...(privateKeyPassword === undefined ? {} : { passphrase: privateKeyPassword }),
    minVersion: 'TLSv1.2',
    requestCert: true,
    rejectUnauthorized: rootsDecide,
    handshakeTimeout: handshakeTimeoutMs,
  }
}
