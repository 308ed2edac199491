import { keepCompiledCode } from './compile-cache.ts'

keepCompiledCode(process.env)

const { runDaemon } = await import('./run.ts')

process.exit(await runDaemon(process.argv.slice(2), process.env))
