import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Event, EventType } from '../contract/v1.ts'
import { prettyEvent } from './events-text.ts'

const event = (type: EventType, metadata: unknown): Event => {
  return { type, metadata, timestamp: '2026-01-01T00:00:00Z', location: 'none' }
}
const requestor = { username: 'root', protocol: 'unix', address: '@' }

test('events of every type are one line, whatever names they hold', () => {
  const cases: [Event, string][] = [
    [
      event('lifecycle', { action: 'group-created', source: '/1.0/auth/groups/a', requestor }),
      'INFO   [2026-01-01T00:00:00Z] Action: group-created, Source: /1.0/auth/groups/a, Requestor: unix/root (@)',
    ],
    [event('lifecycle', { action: 'a', source: '/b' }), 'INFO   [2026-01-01T00:00:00Z] Action: a, Source: /b'],
    [
      event('security', { name: 'authn_login_fail:tls', level: 'warning', description: 'not\nknown' }),
      'WARNING[2026-01-01T00:00:00Z] authn_login_fail:tls: not\\nknown',
    ],
    [
      event('operation', { id: '1', class: 'task', description: 'Verifying', status: 'Failure', err: 'gone' }),
      'INFO   [2026-01-01T00:00:00Z] ID: 1, Class: task, Description: Verifying, Status: Failure, gone',
    ],
    [
      event('logging', { level: 'error', message: 'No', context: { link: 'a\u001b' } }),
      'ERROR  [2026-01-01T00:00:00Z] No link="a\\u001b"',
    ],
  ]
  for (const [given, line] of cases) assert.equal(prettyEvent(given), line)
})
