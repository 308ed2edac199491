import { LinkspanError } from '../base/errors.ts'
import { decodeToken } from '../identity/trust-token.ts'
import { Questions, readFileOrInput, readInput } from './input.ts'

export interface TokenSources {
  /** Given as an argument of its own. */
  argument?: string | undefined
  /** `-` is standard input. */
  token?: string | undefined
  tokenFile?: string | undefined
}

/** Base64 of a JSON object: `{"` begins it, and no config key looks so. */
export function looksLikeToken(word: string): boolean {
  return /^\s*eyJ[A-Za-z0-9+/_-]{37,}={0,2}\s*$/.test(word)
}

/** The token, checked to be whole, or undefined when none was given. Throws `usage` or `token-undecodable`. */
export async function readToken(sources: TokenSources): Promise<string | undefined> {
  const { argument, token, tokenFile } = sources
  if ([argument, token, tokenFile].filter((source) => source !== undefined).length > 1) {
    throw new LinkspanError('usage', 'Give the token once: as an argument, by --token or by --token-file')
  }
  const text = await textOf(argument ?? token, tokenFile)
  if (text === undefined) return undefined
  const whole = text.replace(/\s+/g, '')
  decodeToken(whole)
  return whole
}

async function textOf(token: string | undefined, tokenFile: string | undefined): Promise<string | undefined> {
  if (tokenFile !== undefined) return readFileOrInput(tokenFile)
  if (token !== '-') return token
  if (!process.stdin.isTTY) return readInput()
  using questions = new Questions()
  return (await questions.ask('Token: ')) ?? ''
}
