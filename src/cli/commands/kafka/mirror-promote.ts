import type { Command } from 'commander'
import { defineVerb } from './mirror-verb.ts'

export function define(command: Command): void {
  defineVerb(command, {
    name: 'promote',
    until: 'STOPPED',
    help: 'Stop the producers, or give --fence-source: a topic is promoted once it holds every record of its source.',
  })
}
