import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { systemClock } from '../../src/base/clock.ts'
import { createCertificate, fingerprintOf } from '../../src/identity/certificate.ts'
import { TlsFront } from '../../src/transport/listener.ts'

/** The other side of a cluster link, which says what a test wants it to say. */
export class FakePeer implements AsyncDisposable {
  readonly fingerprint: string
  /** Whether it says that it trusts its callers. */
  trusted = false
  /** URLs of its members, as a cluster of LXD's tells them; without any it is none. */
  members: string[] = []
  /** How it answers the use of its token; by default never. */
  onActivation: (response: ServerResponse) => void = () => {}
  /** Its identities by their fingerprints, as whoever calls may see and replace his own: LXD's self-service. */
  readonly identities = new Map<string, { groups: string[] }>()
  readonly requests: { method: string; url: string; body: string; fingerprint: string | undefined }[] = []
  readonly #http: Server
  readonly #front: TlsFront
  readonly #presented = new WeakMap<object, string | undefined>()

  constructor(pems: { certificatePem: string; privateKeyPem: string }) {
    this.fingerprint = fingerprintOf(pems.certificatePem)
    this.#http = createServer((request, response) => void this.#answer(request, response))
    this.#front = new TlsFront({
      listen: { host: '127.0.0.1', port: 0 },
      ...pems,
      onConnection: ({ socket, fingerprint }) => {
        this.#presented.set(socket, fingerprint)
        this.#http.emit('connection', socket)
      },
    })
  }

  async listen(): Promise<this> {
    await this.#front.listen()
    return this
  }

  get address(): string {
    return `127.0.0.1:${this.#front.address.port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#front.close()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await request.setEncoding('utf8').toArray()).join('')
    const { method = '', url = '', socket } = request
    this.requests.push({ method, url, body, fingerprint: this.#presented.get(socket) })
    if (method === 'POST') return this.onActivation(response)
    if (url === '/1.0/cluster/members?recursion=1' && this.members.length > 0) {
      return respond(response, 200, { metadata: this.members.map((member) => ({ server_name: 'fake', url: member })) })
    }
    const own = this.#identityOf(url, this.#presented.get(socket))
    if (own && method === 'PUT') return respond(response, 200, this.#replace(own.id, JSON.parse(body)))
    if (own) return respond(response, 200, { metadata: own })
    const isServer = url === '/1.0'
    const auth = this.trusted ? 'trusted' : 'untrusted'
    const metadata = isServer ? { api_extensions: ['cluster_links'], auth, environment: { server_name: 'fake' } } : null
    respond(response, isServer ? 200 : 404, { metadata, error: isServer ? '' : 'Not Found' })
  }

  #identityOf(url: string, caller: string | undefined): { id: string; groups: string[] } | undefined {
    const id = /^\/1\.0\/auth\/identities\/tls\/([0-9a-f]{64})$/.exec(url)?.[1]
    const identity = this.identities.get(id ?? '')
    return id !== undefined && id === caller && identity ? { id, ...identity } : undefined
  }

  #replace(id: string, body: { groups: string[]; tls_certificate: string }): object {
    this.identities.delete(id)
    this.identities.set(fingerprintOf(body.tls_certificate), { groups: body.groups })
    return { metadata: {} }
  }
}

export function respond(response: ServerResponse, status: number, body: object, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

export async function startFakePeer(): Promise<FakePeer> {
  const request = { commonName: 'peer', hostNames: [], addresses: [], clock: systemClock }
  return new FakePeer(await createCertificate(request)).listen()
}
