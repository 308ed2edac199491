/** The last part of an address such as `/1.0/auth/identities/tls/ID`; empty when there is none. */
export function lastSegment(location: string | undefined): string {
  const segment = location?.split('?')[0]?.split('/').at(-1) ?? ''
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
