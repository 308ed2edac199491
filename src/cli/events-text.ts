import type { Event, LifecycleMetadata, Operation, Requestor, SecurityMetadata } from '../contract/v1.ts'
import { escapeControls } from './render/text.ts'

interface LogMetadata {
  level?: string
  message?: string
  context?: Record<string, unknown>
}

const levelWidth = 7

/** One line: level, time, and what happened, in the words of LXD's client. */
export function prettyEvent(event: Event): string {
  const [level, text] = describe(event)
  return `${level.toUpperCase().padEnd(levelWidth)}[${event.timestamp}] ${escapeControls(text)}`
}

function describe({ type, metadata }: Event): [string, string] {
  if (type === 'lifecycle') {
    const { action, source, requestor } = metadata as LifecycleMetadata
    return ['info', `Action: ${action}, Source: ${source}${requestorText(requestor)}`]
  }
  if (type === 'security') {
    const { name, level, description, requestor } = metadata as SecurityMetadata
    return [level, `${name}: ${description}${requestorText(requestor)}`]
  }
  if (type === 'operation') {
    const { id, class: kind, description, status, err } = metadata as Operation
    return ['info', `ID: ${id}, Class: ${kind}, Description: ${description}, Status: ${status}${err && `, ${err}`}`]
  }
  const { level = 'info', message = '', context = {} } = metadata as LogMetadata
  const facts = Object.entries(context).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`)
  return [level, `${message}${facts.join('')}`]
}

function requestorText(requestor: Requestor | undefined): string {
  if (!requestor) return ''
  const { protocol, username, address } = requestor
  return `, Requestor: ${protocol}/${username} (${address})`
}
