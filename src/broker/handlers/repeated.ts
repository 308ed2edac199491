/** Those that come more than once: Kafka refuses most of what a request names twice. */
export function repeated<T>(items: Iterable<T>): Set<T> {
  const seen = new Set<T>()
  const found = new Set<T>()
  for (const item of items) {
    if (seen.has(item)) found.add(item)
    else seen.add(item)
  }
  return found
}
