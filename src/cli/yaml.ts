import { LinkspanError } from '../base/errors.ts'

/** The mapping that a text holds; an empty text is an empty one. Throws `invalid-request`, which names the place. */
export async function parseYamlMapping(text: string): Promise<Record<string, unknown>> {
  const { parse } = await import('yaml')
  const value: unknown = parsed(() => parse(text, { maxAliasCount: 100 }))
  if (value === null || value === undefined) return {}
  if (typeof value === 'object' && !Array.isArray(value)) return { ...value }
  throw new LinkspanError('invalid-request', 'Expected YAML with "key: value" lines')
}

function parsed(parse: () => unknown): unknown {
  try {
    return parse()
  } catch (cause) {
    const problem = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : ''
    throw new LinkspanError('invalid-request', `This is not YAML: ${problem.replace(/:$/, '')}`)
  }
}
