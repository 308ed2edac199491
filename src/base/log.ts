import { pino } from 'pino'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

/** Structured log: fields first, then one sentence. Secrets never go in; names from peers are escaped by the writer. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: object): Log
}

export interface LogOptions {
  level: LogLevel
  format: 'text' | 'json'
  write: (line: string) => void
}

export function createLog(options: LogOptions): Log {
  const stream = {
    write: (line: string) => options.write(options.format === 'json' ? line : textLine(line)),
  }
  return pino({ level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream)
}

export const silentLog: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLog,
}

const levelNames: Record<number, string> = { 10: 'TRACE', 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR' }

function textLine(json: string): string {
  const { level, time, msg, ...fields } = JSON.parse(json) as Record<string, unknown>
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${textValue(value)}`)
  return `${[time, (levelNames[level as number] ?? 'LOG').padEnd(5), escapeControl(String(msg)), ...pairs].join(' ')}\n`
}

function textValue(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[\w.:/@+-]+$/.test(text) ? text : escapeControl(JSON.stringify(text))
}

/** Control characters of a peer's text made visible, so that no terminal obeys them. */
export function escapeControl(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}
