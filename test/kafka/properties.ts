/** Java properties, as text and as they are told apart by Kafka's configuration names. */
export type Properties = Record<string, string>

export function formatProperties(properties: Properties): string {
  const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${escaped(value)}\n`)
    .join('')
}

/** One line of JAAS; names and passwords hold no quotes. */
export function jaas(module: 'plain.PlainLoginModule' | 'scram.ScramLoginModule', options: Properties): string {
  const pairs = Object.entries(options).map(([name, value]) => ` ${name}="${value}"`)
  return `org.apache.kafka.common.security.${module} required${pairs.join('')};`
}
