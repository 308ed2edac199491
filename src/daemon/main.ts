import { enableCompileCache } from 'node:module'

enableCompileCache()

const { runDaemon } = await import('./run.ts')

process.exit(await runDaemon(process.argv.slice(2), process.env))
