import { isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { formatAddress, type HostPort } from '../transport/address.ts'

/**
 * The addresses under which others reach a port: as advertised, else as listened on. Where that is every address of the
 * host, those that can be reached from elsewhere, as LXD has it.
 */
export function reachableAddresses(listening: HostPort, advertised: readonly string[]): string[] {
  if (advertised.length > 0) return advertised.map((address) => address.replace(/:0$/, `:${listening.port}`))
  const { host, port } = listening
  const onlyIpv4 = host === '0.0.0.0'
  if (!onlyIpv4 && host !== '::') return [formatAddress(listening)]
  const hosts = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ address, internal }) => !internal && isGlobal(address) && (!onlyIpv4 || isIPv4(address)))
    .map(({ address }) => address)
  return [...new Set(hosts)].map((address) => formatAddress({ host: address, port }))
}

/** Link-local addresses mean something on one network segment only. */
function isGlobal(address: string): boolean {
  return isIPv6(address) ? !/^(fe80|ff|::1$)/i.test(address) : !/^(127\.|169\.254\.|0\.)/.test(address)
}
