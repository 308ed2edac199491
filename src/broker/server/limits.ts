/** What clients may take of this broker. Named here, so that nothing that a peer can make grow is without an end. */
export interface ServerLimits {
  /** Requests of one connection that are not answered, or whose answer is not written: then it is read no further. */
  requestsPerConnectionMax: number
  /** Of the requests that one connection has under way; one larger request is taken alone. */
  requestBytesPerConnectionMax: number
  /** Of what the fetches that one connection has under way may bring; one that may bring more is made alone. */
  answerBytesPerConnectionMax: number
  /** Over all connections: from then on nobody begins another request. Twice that ends the connection that grows. */
  requestBytesMax: number
  /** Over all connections: from then on nobody fetches, and whoever does not read what he asked for is cut off. */
  answerBytesMax: number
  /** A reader that has taken nothing for so long may be cut off when memory is short. */
  stalledMs: number
  /** Of one frame before the login, as Apache's `sasl.server.max.receive.size`. */
  loginFrameBytesMax: number
  /** From the first byte to the end of the login. */
  loginTimeoutMs: number
  /** How late a failed login is told, as Apache's `connection.failed.authentication.delay.ms`. */
  loginFailureDelayMs: number
  handshakeTimeoutMs: number
  /** Connections of our own daemon: pumps, tunnels, its own client. */
  internalConnectionsMax: number
  /** Whoever is turned away gets this long to read why. */
  lingerMs: number
}

export const defaultServerLimits: ServerLimits = {
  requestsPerConnectionMax: 64,
  requestBytesPerConnectionMax: 16 * 1024 * 1024,
  answerBytesPerConnectionMax: 32 * 1024 * 1024,
  requestBytesMax: 128 * 1024 * 1024,
  answerBytesMax: 256 * 1024 * 1024,
  stalledMs: 5000,
  loginFrameBytesMax: 512 * 1024,
  loginTimeoutMs: 30_000,
  loginFailureDelayMs: 100,
  handshakeTimeoutMs: 10_000,
  internalConnectionsMax: 4096,
  lingerMs: 1000,
}
