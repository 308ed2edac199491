import { parseArgs } from 'node:util'
import { explainError, LinkspanError } from '../src/base/errors.ts'
import { say } from './say.ts'
import type { BrokerKind } from './site.ts'
import { tellStory } from './story.ts'

const usage = `Usage: npm run demo [-- --kafka | --mixed] [--keep]

Starts two Linkspan daemons, each with a Kafka, links them by a token, mirrors a topic, kills the first site, fails over
to the second and proves record for record what is equal. Nothing is left behind.

  --kafka  unmodified Apache Kafka at both sites, instead of the brokers that the daemons bring (needs Java)
  --mixed  Apache Kafka at the first site, the daemon's own broker at the second (needs Java)
  --keep   leave everything running at the end and show how to play on; Ctrl-C ends it`

const options = {
  kafka: { type: 'boolean' },
  mixed: { type: 'boolean' },
  keep: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({ options })
    if (values.help) {
      say(usage)
      return 0
    }
    return (await tellStory({ sites: sitesOf(values), keep: values.keep === true })) ? 0 : 5
  } catch (error) {
    const usageError = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
    say(`\nThe demo failed: ${explainError(error)}${usageError ? `\n\n${usage}` : ''}`)
    if (usageError) return 2
    return error instanceof LinkspanError ? error.exitCode : 1
  }
}

function sitesOf({ kafka, mixed }: { kafka?: boolean; mixed?: boolean }): [BrokerKind, BrokerKind] {
  if (kafka) return ['apache', 'apache']
  return mixed ? ['apache', 'embedded'] : ['embedded', 'embedded']
}

process.exitCode = await main()
