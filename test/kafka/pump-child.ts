import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { PumpHost } from '../../src/mirror/pump/host.ts'
import type { OpenLink, StartPartition } from '../../src/mirror/pump/protocol.ts'

/**
 * A process that pumps and can be killed. Its only argument is what to do, as JSON; every notice is a line of JSON on
 * its standard output.
 */
export interface PumpJob {
  open: OpenLink
  starts: StartPartition[]
}

if (import.meta.main) {
  const job = JSON.parse(process.argv[2] as string) as PumpJob
  const host = new PumpHost({
    clock: systemClock,
    log: silentLog,
    notify: (notice) => void process.stdout.write(`${JSON.stringify(notice)}\n`),
  })
  await host.handle(job.open)
  for (const start of job.starts) await host.handle(start)
  process.once('SIGTERM', () => void host.handle({ kind: 'shutdown', drainMs: 5000 }).then(() => process.exit(0)))
  setInterval(() => {}, 60_000)
}
