import { explainError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { EventBus } from './bus.ts'

const textCharactersMax = 2000
const levels = { debug: 'debug', info: 'info', warn: 'warning', error: 'error' } as const

/** A log whose lines are events too, while anybody watches: of all levels, for the watcher to choose from. */
export function publishLog(log: Log, bus: EventBus, context: object = {}): Log {
  const write = (level: keyof typeof levels) => (fields: object, message: string) => {
    log[level](fields, message)
    if (bus.subscribers === 0) return
    bus.logging({ level: levels[level], message: shorten(message), context: textsOf({ ...context, ...fields }) })
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => publishLog(log.child(fields), bus, { ...context, ...fields }),
  }
}

/** LXD's clients read texts only. */
function textsOf(fields: object): Record<string, string> {
  const pairs = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(pairs.map(([name, value]) => [name, shorten(textOf(value))]))
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Error) return explainError(value)
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part)) ?? ''
}

function shorten(text: string): string {
  return text.slice(0, textCharactersMax)
}
