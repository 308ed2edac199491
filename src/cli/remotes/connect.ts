import { isLinkspanError, LinkspanError } from '../../base/errors.ts'
import { fingerprintOf } from '../../identity/certificate.ts'
import { pinnedHttp } from '../../transport/pinned-fetch.ts'
import type { Connection } from '../connection.ts'
import type { RemotesFolder } from './folder.ts'

/** To a remote, with the user's certificate. Throws `usage` for one that is not there, `invalid-config`. */
export async function connectRemote(folder: RemotesFolder, name: string, timeoutMs: number): Promise<Connection> {
  const { addresses } = await folder.readRemote(name)
  const [pin, client] = await Promise.all([folder.readPin(name), folder.readClient()])
  if (client === undefined) {
    const wayOut = '"linkspan remote generate-certificate" makes a new one, for which every remote has to be added anew'
    throw new LinkspanError('invalid-config', `Your certificate in ${folder.path} is gone: ${wayOut}`)
  }
  const connections = pinnedHttp({
    address: addresses,
    fingerprint: fingerprintOf(pin),
    certificate: client.certificatePem,
    key: client.privateKeyPem,
    timeoutMs,
  })
  return { connections, explain: (error) => explained(error, name) }
}

function explained(error: unknown, name: string): unknown {
  if (isLinkspanError(error, 'not-trusted')) {
    const wayOut = `with a token of its administrator, after "linkspan remote remove ${name}", you can add it anew`
    return new LinkspanError('not-trusted', `Remote "${name}" does not know your certificate any more: ${wayOut}`)
  }
  if (!isLinkspanError(error, 'unreachable', 'timeout', 'wrong-fingerprint')) return error
  const { code, message, details } = error
  if (code !== 'wrong-fingerprint') {
    return new LinkspanError(code, `Remote "${name}" cannot be reached: ${message}`, { cause: error.cause, details })
  }
  const wayOut = `ask its administrator; if it is right, accept it with "linkspan remote update-certificate ${name}"`
  return new LinkspanError(code, `Nothing was sent to remote "${name}": ${message}; ${wayOut}`, { details })
}
