import type { KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { LinkspanError } from '../../../base/errors.ts'
import { parseRecoverySecret } from '../../../identity/recovery-key.ts'

export function readBackup(file: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    throw new LinkspanError('invalid-request', `${file} cannot be read: name the file of a backup`, { cause })
  })
}

export async function readSecret(file: string): Promise<KeyObject> {
  const pem = await readFile(file, 'utf8').catch((cause: unknown) => {
    const problem = `${file} cannot be read: name the file of the recovery key's secret part`
    throw new LinkspanError('invalid-request', problem, { cause })
  })
  return parseRecoverySecret(pem)
}
