import type { Command } from 'commander'
import { defineVerb } from './mirror-verb.ts'

export function define(command: Command): void {
  defineVerb(command, {
    name: 'unfence-source',
    help: 'For topics that were promoted with --fence-source and whose source is to be written to again.',
  })
}
