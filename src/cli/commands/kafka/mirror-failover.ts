import type { Command } from 'commander'
import { defineVerb } from './mirror-verb.ts'

export function define(command: Command): void {
  defineVerb(command, {
    name: 'failover',
    until: 'STOPPED',
    help: 'What had not arrived from the source is lost; the lag shown is how much, as far as it is known.',
  })
}
