import { parseArgs } from 'node:util'
import { explainError, LinkspanError } from '../src/base/errors.ts'
import { say } from './say.ts'
import { tellStory } from './story.ts'

const usage = `Usage: npm run demo [-- --keep]

Starts two Apache Kafka brokers and a Linkspan daemon at each, links them by a token, mirrors a topic, kills the first
site, fails over to the second and proves record for record what is equal. Nothing is left behind.

  --keep   leave everything running at the end and show how to play on; Ctrl-C ends it`

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({ options: { keep: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } })
    if (values.help) {
      say(usage)
      return 0
    }
    return (await tellStory({ keep: values.keep === true })) ? 0 : 5
  } catch (error) {
    const usageError = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
    say(`\nThe demo failed: ${explainError(error)}${usageError ? `\n\n${usage}` : ''}`)
    if (usageError) return 2
    return error instanceof LinkspanError ? error.exitCode : 1
  }
}

process.exitCode = await main()
