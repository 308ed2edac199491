import { systemClock } from '../../src/base/clock.ts'
import { createLog } from '../../src/base/log.ts'
import type { OpenLink, StartPartition } from '../../src/mirror/pump/protocol.ts'
import { PumpClient } from '../../src/mirror/pump/pump-client.ts'

/**
 * The data path alone, without a daemon around it: a pump worker and the control thread's end of it. Its only argument
 * is a `PumpJob` as JSON. It begins when a line comes on standard input, and ends at SIGTERM.
 */
export interface PumpJob {
  open: Omit<OpenLink, 'kind'>
  starts: Omit<StartPartition, 'kind'>[]
}

if (import.meta.main) {
  const job = JSON.parse(process.argv[2] as string) as PumpJob
  const client = new PumpClient({
    clock: systemClock,
    log: createLog({ level: 'warn', format: 'text', write: (line) => void process.stderr.write(line) }),
    workerData: { logLevel: 'warn', logFormat: 'text' },
    onNotice: (notice) => {
      if (notice.kind === 'stopped') process.stdout.write(`stopped ${notice.reason.message}\n`)
    },
  })
  await client.openLink(job.open)
  process.stdout.write('ready\n')
  process.stdin.once('data', () => void begin())
  const begin = async () => {
    for (const start of job.starts) await client.startPartition(start)
  }
  process.once('SIGTERM', () => void client.shutdown(1000).then(() => process.exit(0)))
}
