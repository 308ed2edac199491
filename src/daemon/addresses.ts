import { isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { formatAddress, type HostPort } from '../transport/address.ts'

type Interfaces = ReturnType<typeof networkInterfaces>

/** Networks inside this host, which bridges of containers and virtual machines make: nobody elsewhere is on them. */
const innerNetwork = /^(docker|podman|br-|virbr|lxcbr|lxdbr|incusbr|cni|flannel|cali|cilium|weave|kube|veth|vmnet|vbox)/

/**
 * The addresses under which others reach a port: as advertised, else as listened on. Where that is every address of the
 * host, those that can be reached from elsewhere: neither loopback nor link-local ones, and those of bridges inside the
 * host only if there are no others. LXD puts all of them in its tokens, which its users complain about.
 */
export function reachableAddresses(
  listening: HostPort,
  advertised: readonly string[],
  interfaces: Interfaces = networkInterfaces(),
): string[] {
  if (advertised.length > 0) return advertised.map((address) => address.replace(/:0$/, `:${listening.port}`))
  const every = listenedAddresses(listening, interfaces)
  const outer = Object.entries(interfaces).filter(([name]) => !innerNetwork.test(name))
  const sensible = listenedAddresses(listening, Object.fromEntries(outer))
  return sensible.length > 0 ? sensible : every
}

/** All from which a person may choose, because only he knows his networks. */
export function everyAddress(
  listening: HostPort,
  advertised: readonly string[],
  interfaces: Interfaces = networkInterfaces(),
): string[] {
  const reachable = reachableAddresses(listening, advertised, interfaces)
  return [...new Set([...reachable, ...listenedAddresses(listening, interfaces)])]
}

function listenedAddresses(listening: HostPort, interfaces: Interfaces): string[] {
  const { host, port } = listening
  const onlyIpv4 = host === '0.0.0.0'
  if (!onlyIpv4 && host !== '::') return [formatAddress(listening)]
  const hosts = Object.values(interfaces)
    .flatMap((addresses) => addresses ?? [])
    .filter(({ address, internal }) => !internal && isGlobal(address) && (!onlyIpv4 || isIPv4(address)))
    .map(({ address }) => address)
  return [...new Set(hosts)].map((address) => formatAddress({ host: address, port }))
}

/** Link-local addresses mean something on one network segment only. */
function isGlobal(address: string): boolean {
  return isIPv6(address) ? !/^(fe80|ff|::1$)/i.test(address) : !/^(127\.|169\.254\.|0\.)/.test(address)
}
