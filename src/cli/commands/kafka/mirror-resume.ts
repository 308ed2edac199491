import type { Command } from 'commander'
import { defineVerb } from './mirror-verb.ts'

export function define(command: Command): void {
  defineVerb(command, { name: 'resume', until: 'ACTIVE', help: 'Goes on where the mirror topic ends.' })
}
