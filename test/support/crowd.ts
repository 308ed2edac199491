import { Agent, request as sendRequest } from 'node:https'

export interface CrowdAnswer {
  status: number
  code: string | undefined
  body: string
}

/**
 * Strangers at many addresses of this machine (127.0.0.2 and on), none of whom presents a certificate: a server that
 * counts by address has to count each of them alone.
 */
export class Crowd implements Disposable {
  readonly #agents: Agent[]
  readonly #where: { host: string; port: string }

  /** `certificatePem`: what the server presents. */
  constructor(
    address: string,
    certificatePem: string,
    { people, socketsEach }: { people: number; socketsEach: number },
  ) {
    const [host = '', port = ''] = address.split(':')
    this.#where = { host, port }
    this.#agents = Array.from({ length: people }, (_, index) => {
      const localAddress = `127.0.${1 + Math.floor(index / 250)}.${1 + (index % 250)}`
      const pinned = { ca: certificatePem, checkServerIdentity: () => undefined }
      return new Agent({ keepAlive: true, maxSockets: socketsEach, localAddress, ...pinned })
    })
  }

  /** The body as JSON, by the person whose turn it is. */
  post(turn: number, path: string, body: object): Promise<CrowdAnswer> {
    const agent = this.#agents[turn % this.#agents.length]!
    const text = JSON.stringify(body)
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
    return new Promise((resolve, reject) => {
      const outgoing = sendRequest({ ...this.#where, method: 'POST', path, agent, headers }, (answer) => {
        answer
          .setEncoding('utf8')
          .toArray()
          .then((parts) => {
            const code = answer.headers['linkspan-error']
            resolve({ status: answer.statusCode ?? 0, code: String(code ?? ''), body: parts.join('') })
          }, reject)
      })
      outgoing.on('error', reject)
      outgoing.end(text)
    })
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents) agent.destroy()
  }
}
