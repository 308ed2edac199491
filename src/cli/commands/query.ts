import { type Command, Option } from 'commander'
import { LinkspanError } from '../../base/errors.ts'
import { errorOf, type HttpAnswer, jsonRequest } from '../../client/http.ts'
import type { Envelope } from '../../contract/v1.ts'
import { type Context, openContext } from '../context.ts'
import { readInput } from '../input.ts'
import { lastSegment } from '../locations.ts'
import { parsePath } from '../names.ts'
import { followOperation } from '../operations.ts'

interface Options {
  request: string
  data?: string
  wait?: boolean
  raw?: boolean
}

const methods = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE']

export function define(command: Command): void {
  command
    .usage('[<remote>:]<path> [options]')
    .argument('<path>', 'such as /1.0/cluster/links?recursion=1')
    .addOption(new Option('-X, --request <method>', 'what to do').default('GET').argParser((text) => methodOf(text)))
    .option('-d, --data <json>', 'body; "-" reads it from standard input')
    .option('--wait', 'wait for the end of the operation that is started')
    .option('--raw', 'print the whole answer, not only its metadata')
    .action(async (text: string, options: Options) => {
      const { remote, path } = parsePath(text)
      await using context = openContext(command, remote)
      const data = options.data === '-' ? await readInput() : options.data
      await query(context, path, { ...options, ...(data === undefined ? {} : { data }) })
    })
}

function methodOf(text: string): string {
  const method = text.toUpperCase()
  if (methods.includes(method)) return method
  throw new LinkspanError('usage', `There is no request "${text}": choose among ${methods.join(', ')}`)
}

async function query(context: Context, path: string, { request, data, wait, raw }: Options): Promise<void> {
  const answer = await context.http(jsonRequest(request, path, data === undefined ? undefined : jsonOf(data)))
  if (raw) {
    printJson(context, answer)
    const error = errorOf(answer)
    if (error) throw error
    return
  }
  const error = errorOf(answer)
  if (error) throw error
  const body = bodyOf(answer)
  const operation = isEnvelope(body) ? body.operation : ''
  if (wait && operation !== '') {
    const ended = await followOperation(context, lastSegment(operation))
    return context.print(tabbed(ended))
  }
  const shown = isEnvelope(body) ? body.metadata : body
  if (!isEmpty(shown)) context.print(typeof shown === 'string' ? shown : tabbed(shown))
}

/** What is no JSON is sent as a JSON text. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function printJson(context: Context, answer: HttpAnswer): void {
  const body = bodyOf(answer)
  if (!isEmpty(body)) context.print(typeof body === 'string' ? body : tabbed(body))
}

function bodyOf({ body }: HttpAnswer): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return body.trimEnd()
  }
}

function isEnvelope(body: unknown): body is Envelope {
  return typeof body === 'object' && body !== null && 'type' in body && 'metadata' in body && 'status_code' in body
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true
  return typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length === 0
}

function tabbed(value: unknown): string {
  return JSON.stringify(value, null, '\t')
}
