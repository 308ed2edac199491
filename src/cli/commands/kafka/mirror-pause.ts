import type { Command } from 'commander'
import { defineVerb } from './mirror-verb.ts'

export function define(command: Command): void {
  defineVerb(command, { name: 'pause', until: 'PAUSED', help: 'A paused mirror topic stays read-only.' })
}
