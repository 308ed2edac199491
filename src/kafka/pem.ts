import { createPrivateKey, X509Certificate } from 'node:crypto'
import { LinkspanError } from '../base/errors.ts'

const blockPattern = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g

/** The certificates of a PEM text, each on its lines; Kafka allows one line for all. `name` is the key to blame. */
export function certificatesOf(text: string, name: string): string {
  const blocks = blocksOf(text).filter(({ label }) => label === 'CERTIFICATE')
  if (blocks.length === 0) throw notPem(name, 'holds no PEM certificate')
  for (const { pem } of blocks) {
    try {
      new X509Certificate(pem)
    } catch {
      throw notPem(name, 'holds a certificate that cannot be read')
    }
  }
  return blocks.map(({ pem }) => pem).join('')
}

/** The private key of a PEM text, checked against its password. Errors show neither: `invalid-config`. */
export function privateKeyOf(text: string, password: string | undefined, name: string): string {
  const block = blocksOf(text).find(({ label }) => label.endsWith('PRIVATE KEY'))
  if (!block) throw notPem(name, 'holds no PEM private key')
  try {
    createPrivateKey({ key: block.pem, ...(password === undefined ? {} : { passphrase: password }) })
  } catch {
    const hint = block.label.startsWith('ENCRYPTED') ? ': is "ssl.key.password" right?' : ''
    throw new LinkspanError('invalid-config', `"${name}" holds a private key that cannot be read${hint}`)
  }
  return block.pem
}

function blocksOf(text: string): { label: string; pem: string }[] {
  return [...text.matchAll(blockPattern)].map(([whole, label = '', body = '']) => {
    // Old encrypted keys carry header lines, which only make sense as they stand.
    if (body.includes(':')) return { label, pem: `${whole}\n` }
    const lines = body.replace(/\s+/g, '').match(/.{1,64}/g) ?? []
    return { label, pem: `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n` }
  })
}

function notPem(name: string, what: string): LinkspanError {
  return new LinkspanError(
    'invalid-config',
    `"${name}" ${what}: only PEM is supported; convert a JKS or PKCS12 store with keytool and openssl`,
  )
}
