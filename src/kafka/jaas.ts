import { LinkspanError } from '../base/errors.ts'

export interface JaasLogin {
  /** The login module's class. */
  module: string
  options: Map<string, string>
}

const flags = ['required', 'requisite', 'sufficient', 'optional']
const key = 'sasl.jaas.config'

/**
 * One login of `sasl.jaas.config`: `MODULE FLAG name="value" … ;`. Values may be quoted either way and escaped with
 * backslashes. Errors never show values: `invalid-config`.
 */
export function parseJaas(text: string): JaasLogin {
  const tokens = tokenize(text)
  const [module, flag] = tokens
  if (!module || !flag || !flags.includes(flag.toLowerCase())) {
    throw invalid('it must begin with the login module and "required"')
  }
  const options = new Map<string, string>()
  let index = 2
  while (tokens[index] !== ';') {
    const [name, equals, value] = tokens.slice(index, index + 3)
    if (name === undefined) throw invalid('it must end with a semicolon')
    if (equals !== '=' || value === undefined || value === ';') {
      throw invalid('options are written as name="value", and the last is followed by a semicolon')
    }
    options.set(name, value)
    index += 3
  }
  if (index + 1 < tokens.length) throw invalid('exactly one login module is supported')
  return { module, options }
}

function tokenize(text: string): string[] {
  const pattern = /\s+|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([=;])|([^\s"'=;]+)/gsy
  const tokens: string[] = []
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text)
    if (!match) throw invalid('a quote is not closed')
    const [, double, single, sign, word] = match
    const quoted = double ?? single
    if (quoted !== undefined) tokens.push(quoted.replace(/\\(.)/gs, '$1'))
    else if (sign !== undefined || word !== undefined) tokens.push((sign ?? word) as string)
  }
  return tokens
}

function invalid(reason: string): LinkspanError {
  return new LinkspanError('invalid-config', `"${key}" cannot be read: ${reason}`)
}
