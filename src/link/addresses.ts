import { formatAddress, parseAddress } from '../transport/address.ts'

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
