const charactersMax = 249

/** Those of Apache's brokers that Metadata tells as internal. This broker keeps none of them. */
export const internalTopics: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
])

/** Names that mean something to Apache's brokers and clients, so that a topic of that name would mislead them. */
export function isReservedName(name: string): boolean {
  return internalTopics.has(name) || name === '__cluster_metadata'
}

/** Why Kafka would not take the name, in its own words; undefined when it is fine. */
export function topicNameProblem(name: string): string | undefined {
  if (name === '') return 'Topic name is invalid: the empty string is not allowed'
  if (name === '.' || name === '..') return `Topic name is invalid: '${name}' is not allowed`
  if (name.length > charactersMax) {
    return `Topic name is invalid: the length of '${name}' is longer than the max allowed length ${charactersMax}`
  }
  if (/^[a-zA-Z0-9._-]+$/.test(name)) return undefined
  const rule = "contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
  return `Topic name is invalid: '${name}' ${rule}`
}

/** Two names with one key cannot be told apart in the names of Kafka's metrics: such a pair is refused. */
export function collisionKey(name: string): string {
  return name.replaceAll('.', '_')
}
