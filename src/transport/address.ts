import { isIP } from 'node:net'
import { LinkspanError } from '../base/errors.ts'

export interface HostPort {
  /** A name or an IP address, without brackets. */
  host: string
  port: number
}

/** `host:port`, `[ipv6]:port`, or without a port when there is a default. Throws `invalid-request`. */
export function parseAddress(text: string, defaultPort?: number): HostPort {
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s/]+))(?::(\d{1,5}))?$/.exec(text.trim())
  const bare = isIP(text.trim()) === 6
  const host = bare ? text.trim() : (match?.[1] ?? match?.[2])
  const port = !bare && match?.[3] !== undefined ? Number(match[3]) : defaultPort
  const bracketed = match?.[1] === undefined || isIP(match[1]) === 6
  if (!host || port === undefined || port > 65_535 || !bracketed) {
    throw new LinkspanError('invalid-request', `"${text}" is not an address: write HOST:PORT, or [IPV6]:PORT`)
  }
  return { host, port }
}

export function formatAddress(address: HostPort): string {
  return isIP(address.host) === 6 ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** `ip:port` of a socket's peer, IPv4 written as IPv4 also on a socket that takes both. */
export function peerAddressOf(socket: { remoteAddress?: string | undefined; remotePort?: number | undefined }): string {
  const host = (socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '')
  return formatAddress({ host, port: socket.remotePort ?? 0 })
}
