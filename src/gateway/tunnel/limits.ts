/** What one link may take of this daemon; per link unless the name says otherwise. */
export interface TunnelLimits {
  connectionsMax: number
  /** Asked for, or answered and not yet taken by the peer. One answer may be larger: its first batch always comes. */
  bytesInFlightMax: number
  bytesInFlightPerConnectionMax: number
  requestsPerSecond: number
  requestsBurst: number
  /** Without an answer, per connection: a client that sends more is read no further. */
  requestsPendingMax: number
  /** Of one request frame. Answers may have the 128 MiB that DESIGN §4a allows; no request that we take comes near. */
  requestBytesMax: number
  /** How long a Fetch may wait for data at the source. */
  waitMsMax: number
  /** Of one Fetch answer, before the first batch is counted. */
  fetchBytesMax: number
  prefaceTimeoutMs: number
}

export const defaultTunnelLimits: TunnelLimits = {
  connectionsMax: 64,
  bytesInFlightMax: 128 * 1024 * 1024,
  bytesInFlightPerConnectionMax: 16 * 1024 * 1024,
  requestsPerSecond: 5000,
  requestsBurst: 10_000,
  requestsPendingMax: 32,
  requestBytesMax: 8 * 1024 * 1024,
  waitMsMax: 5000,
  fetchBytesMax: 8 * 1024 * 1024,
  prefaceTimeoutMs: 5000,
}
