import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net'

/** A test that holds more than this in one direction of one connection is stopped from sending more. */
const heldBytesMax = 256 << 20

export type Direction = 'requests' | 'answers'

export interface Target {
  host: string
  port: number
}

/** How one direction of all connections is treated at present. */
interface Flow {
  holding: boolean
  delayMs: number
}

/**
 * A TCP proxy in front of one server, for what networks do to requests on their way: hold them back, deliver them late
 * (also when the client is long gone), lose the answer, break.
 */
export class TestProxy implements AsyncDisposable {
  readonly host = '127.0.0.1'
  readonly port: number
  /** New connections are closed at once while this is set. */
  refusing = false
  /** May be changed; counts for connections made from then on. */
  target: Target
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  #flows = freshFlows()
  #accepted = 0

  constructor(server: Server, target: Target) {
    this.#server = server
    this.target = target
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (client) => this.#accept(client))
  }

  get address(): string {
    return `${this.host}:${this.port}`
  }

  /** Open now. */
  get connections(): number {
    return this.#connections.size
  }

  /** Since the start. */
  get accepted(): number {
    return this.#accepted
  }

  /** Bytes taken from clients that have not been passed on to the server. */
  get heldBytes(): number {
    return this.heldIn('requests')
  }

  heldIn(direction: Direction): number {
    return [...this.#connections].reduce((sum, connection) => sum + connection.pipes[direction].heldBytes, 0)
  }

  /** Takes and counts what comes, but passes nothing on until `release`. */
  hold(direction: Direction = 'requests'): void {
    this.#flows[direction].holding = true
    for (const { pipes } of this.#connections) pipes[direction].flush()
  }

  /** Passes on what is held, in order, and what comes from now on; also of connections whose client is gone. */
  release(direction: Direction = 'requests'): void {
    this.#flows[direction].holding = false
    for (const { pipes } of this.#connections) pipes[direction].release()
  }

  /** What was set counts only for the connections of now; those that come are free. `release` ends it for all. */
  spareNew(): void {
    this.#flows = freshFlows()
  }

  /** Every byte that comes from now on is passed on that much later. */
  delay(delayMs: number, direction: Direction = 'requests'): void {
    this.#flows[direction].delayMs = delayMs
  }

  /** Breaks the connections to the server; what is held is lost, and clients see the end of their connection. */
  closeUpstream(): void {
    for (const connection of this.#connections) connection.server.destroy()
  }

  /** Resets every connection on both sides; what is held is lost. */
  kill(): void {
    for (const connection of this.#connections) connection.reset()
  }

  async close(): Promise<void> {
    this.kill()
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #accept(client: Socket): void {
    client.unref()
    if (this.refusing) {
      client.on('error', () => {})
      client.destroy()
      return
    }
    this.#accepted += 1
    const connection = new Connection(client, this.target, this.#flows, () => this.#connections.delete(connection))
    this.#connections.add(connection)
  }
}

/** On a free port of 127.0.0.1. */
export async function startProxy(target: Target): Promise<TestProxy> {
  const server = createServer({ allowHalfOpen: true, noDelay: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  server.unref()
  return new TestProxy(server, target)
}

function freshFlows(): Record<Direction, Flow> {
  return { requests: { holding: false, delayMs: 0 }, answers: { holding: false, delayMs: 0 } }
}

class Connection {
  readonly client: Socket
  readonly server: Socket
  readonly pipes: Record<Direction, Pipe>

  constructor(client: Socket, target: Target, flows: Record<Direction, Flow>, onClosed: () => void) {
    this.client = client
    this.server = createConnection({ ...target, allowHalfOpen: true, noDelay: true })
    this.server.unref()
    this.pipes = {
      requests: new Pipe(client, this.server, flows.requests),
      answers: new Pipe(this.server, client, flows.answers),
    }
    const check = () => {
      if (client.destroyed && this.server.destroyed) onClosed()
    }
    client.on('close', check)
    this.server.on('close', check)
  }

  reset(): void {
    this.client.resetAndDestroy()
    this.server.resetAndDestroy()
  }
}

/**
 * One direction. The end of `from`, by a reset too, is passed on after the bytes that came before it; when `to` is
 * gone, what comes is thrown away.
 */
class Pipe {
  heldBytes = 0
  readonly #from: Socket
  readonly #to: Socket
  readonly #flow: Flow
  readonly #queue: { bytes: Uint8Array; dueMs: number }[] = []
  #timer: NodeJS.Timeout | undefined
  #ended = false

  constructor(from: Socket, to: Socket, flow: Flow) {
    this.#from = from
    this.#to = to
    this.#flow = flow
    from.on('data', (bytes) => this.#take(bytes))
    from.on('error', () => {})
    from.on('end', () => this.#end())
    from.on('close', () => this.#end())
    to.on('drain', () => this.flush())
    to.on('close', () => this.#discard())
  }

  release(): void {
    this.#flow.holding = false
    this.flush()
  }

  flush(): void {
    clearTimeout(this.#timer)
    while (this.#queue.length > 0) {
      if (this.#flow.holding) {
        // A slow server may have stopped the client before; what is held is no reason to.
        if (!this.#ended && this.heldBytes <= heldBytesMax) this.#from.resume()
        return
      }
      if (this.#to.writableNeedDrain) return
      const waitMs = this.#queue[0]!.dueMs - performance.now()
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.flush(), waitMs)
        return
      }
      const { bytes } = this.#queue.shift()!
      this.heldBytes -= bytes.length
      this.#to.write(bytes)
    }
    if (!this.#ended) this.#from.resume()
    else if (!this.#flow.holding) this.#to.end()
  }

  #take(bytes: Uint8Array): void {
    if (this.#to.destroyed) return
    this.#queue.push({ bytes, dueMs: performance.now() + this.#flow.delayMs })
    this.heldBytes += bytes.length
    this.flush()
    const full = this.#flow.holding ? this.heldBytes > heldBytesMax : this.#queue.length > 0 && this.#flow.delayMs === 0
    if (full) this.#from.pause()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.flush()
  }

  #discard(): void {
    clearTimeout(this.#timer)
    this.#queue.length = 0
    this.heldBytes = 0
    if (!this.#ended) this.#from.resume()
  }
}
