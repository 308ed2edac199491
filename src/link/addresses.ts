import { LinkspanError } from '../base/errors.ts'
import { formatAddress, parseAddress } from '../transport/address.ts'
import type { LinkContext } from './context.ts'

const addressCharactersMax = 300
const defaultPort = 8443

/**
 * What a peer or a token says of addresses, each once and in its one form (`host:port`, 8443 when it has none); what is
 * no address is passed over. They are kept as one text, so a comma is none of their characters.
 */
export function readableAddresses(texts: readonly string[]): string[] {
  return [...new Set(texts.flatMap((text) => readAddress(text) ?? []))]
}

function readAddress(text: string): string | undefined {
  if (text.length > addressCharactersMax || !/^[\w.:[\]-]+$/.test(text)) return undefined
  try {
    const address = parseAddress(text, defaultPort)
    return address.port > 0 ? formatAddress(address) : undefined
  } catch {
    return undefined
  }
}

/** Whether two lists hold the same addresses, in whatever order. */
export function isSameSet(one: readonly string[], other: readonly string[]): boolean {
  const [ones, others] = [new Set(one), new Set(other)]
  return ones.size === others.size && [...ones].every((address) => others.has(address))
}

/**
 * Those of our own addresses that the other side is told: the usual ones, or those that were asked for, with or without
 * the port. Throws `invalid-request` for one that is not ours.
 */
export function ownAddresses(
  { addresses, everyAddress = addresses }: Pick<LinkContext, 'addresses' | 'everyAddress'>,
  asked: readonly string[] = [],
): string[] {
  if (asked.length === 0) return addresses()
  const every = [...new Set([...addresses(), ...everyAddress()])]
  const chosen = asked.map((text) => {
    const found = every.find((address) => isWritten(text, address))
    if (found !== undefined) return found
    const shown = JSON.stringify(text.slice(0, addressCharactersMax))
    const ours = every.join(', ') || 'none, because it listens nowhere'
    throw new LinkspanError('invalid-request', `${shown} is not an address of this cluster, which has ${ours}`)
  })
  return [...new Set(chosen)]
}

function isWritten(text: string, address: string): boolean {
  try {
    return formatAddress(parseAddress(text, parseAddress(address).port)) === address
  } catch {
    return false
  }
}
