import { LinkspanError } from '../../../base/errors.ts'
import type { Server } from '../../../contract/v1.ts'
import type { Context } from '../../context.ts'
import { parseRemote } from '../../names.ts'

export type ServerConfig = Server['config']

/** `[<remote>:] word…`. Only what ends with a colon is a remote here: keys and values may hold colons. */
export function splitRemote(words: readonly string[]): { remote: string | undefined; words: string[] } {
  const [first, ...others] = words
  if (first === undefined || !/^[^=]*:$/.test(first)) return { remote: undefined, words: [...words] }
  return { remote: parseRemote(first), words: others }
}

/** For the commands about one key. Throws `usage`. */
export function splitKey(words: readonly string[]): { remote: string | undefined; key: string } {
  const { remote, words: rest } = splitRemote(words)
  const [key, ...excess] = rest
  if (key === undefined || excess.length > 0) throw new LinkspanError('usage', 'Name one key')
  return { remote, key }
}

/** Reads, changes and writes; refused when somebody else changed the config in between. */
export async function updateConfig({ client }: Context, change: (config: ServerConfig) => ServerConfig): Promise<void> {
  const { value, etag } = await client.server.get()
  await client.server.replaceConfig({ config: change(value.config) }, etag)
}
