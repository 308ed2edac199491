import { type Command, Option } from 'commander'
import type { WebSocket } from 'ws'
import { LinkspanError } from '../../base/errors.ts'
import { errorOf } from '../../client/http.ts'
import { type Event, type EventType, eventTypes } from '../../contract/v1.ts'
import { type Context, openContext } from '../context.ts'
import { prettyEvent } from '../events-text.ts'
import { parseRemote } from '../names.ts'
import { collectList } from '../pairs.ts'
import { jsonLine, yamlText } from '../render/data.ts'
import { version } from '../version.ts'

type MonitorFormat = 'yaml' | 'json' | 'pretty'

interface Options {
  type?: string[]
  pretty?: boolean
  format?: MonitorFormat
  loglevel?: string
}

/** LXD's, from the most to the least important. */
const levels = ['panic', 'fatal', 'error', 'warning', 'info', 'debug', 'trace']

/** -1 for one that is none. */
function rankOf(level: string): number {
  return levels.indexOf(level.toLowerCase().replace(/^warn$/, 'warning'))
}

export function define(command: Command): void {
  command
    .argument('[remote:]', 'the daemon that is watched')
    .option('-t, --type <type>', `only events of this type (${eventTypes.join(', ')}); may be repeated`, collectList)
    .option('--pretty', 'one line for each event')
    .addOption(new Option('-f, --format <format>', 'how to print').choices(['yaml', 'json', 'pretty']))
    .option('--loglevel <level>', `of logging events, those from this level on: ${levels.join(', ')}`)
    .option('--all-projects', 'taken, and without effect: there are no projects')
    .addHelpText('after', '\nIt goes on until it is interrupted, or until the daemon stops.')
    .action(async (remote: string | undefined, options: Options) => {
      const types = checkTypes(options)
      const lowest = checkLevel(options.loglevel)
      const format = options.format ?? (options.pretty ? 'pretty' : 'yaml')
      await using context = openContext(command, parseRemote(remote))
      const socket = await openEvents(context, types)
      await follow(socket, async (event) => {
        if (isLoudEnough(event, lowest)) context.print(await textOf(event, format))
      })
    })
}

function checkTypes({ type = [], loglevel }: Options): string[] {
  const wrong = type.find((name) => !eventTypes.includes(name as EventType))
  if (wrong !== undefined) {
    throw new LinkspanError('usage', `There are no events of type "${wrong}": choose among ${eventTypes.join(', ')}`)
  }
  if (loglevel !== undefined && type.length > 0 && !type.includes('logging')) {
    throw new LinkspanError('usage', '--loglevel is about events of type logging: name that type, too')
  }
  return type
}

function checkLevel(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const level = rankOf(text)
  if (level >= 0) return level
  throw new LinkspanError('usage', `There is no level "${text}": choose among ${levels.join(', ')}`)
}

function isLoudEnough({ type, metadata }: Event, lowest: number | undefined): boolean {
  if (type !== 'logging' || lowest === undefined) return true
  const { level = '' } = metadata as { level?: string }
  return rankOf(level) <= lowest
}

async function openEvents(context: Context, types: readonly string[]): Promise<WebSocket> {
  const [{ WebSocket }, { connections, explain }] = await Promise.all([import('ws'), context.connect()])
  const query = types.length === 0 ? '' : `?type=${types.join(',')}`
  // The agent dials, whatever the address says: by the Unix socket, or by TLS with the pin.
  const headers = { 'user-agent': `linkspan/${version}` }
  const socket = new WebSocket(`ws://linkspan/1.0/events${query}`, { agent: connections.agent, headers })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', (error) => reject(explain(error)))
    socket.once('unexpected-response', (_request, answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      answer.once('end', () => reject(errorOf({ status: answer.statusCode ?? 500, headers: {}, body })))
    })
  })
  return socket
}

/** Until the daemon ends it, which is an error unless it is stopping. */
async function follow(socket: WebSocket, show: (event: Event) => Promise<void>): Promise<void> {
  let shown = Promise.resolve()
  let unread = false
  // As in `monitor | head`: nobody reads any more.
  process.stdout.once('error', () => {
    unread = true
    socket.terminate()
  })
  const [code, reason] = await new Promise<[number, string]>((resolve) => {
    socket.on('message', (data) => {
      shown = shown.then(() => show(JSON.parse(String(data)) as Event))
    })
    socket.once('error', () => {})
    socket.once('close', (closeCode, text) => resolve([closeCode, String(text)]))
  })
  await shown
  if (unread || code === normalClosure || code === goingAway) return
  throw new LinkspanError('closed', reason || 'The daemon broke the connection off: it stopped, or trusts you no more')
}

const normalClosure = 1000
const goingAway = 1001

async function textOf(event: Event, format: MonitorFormat): Promise<string> {
  if (format === 'json') return jsonLine(event)
  return format === 'pretty' ? prettyEvent(event) : `${await yamlText(event)}\n`
}
