import { readdirSync } from 'node:fs'
import { explainError, isLinkspanError, LinkspanError } from '../src/base/errors.ts'

/** `npm run bench -- NAME [flags]`: runs the benchmark `bench/NAME.ts`, whose exit code is the result. */
interface Bench {
  /** Returns the exit code: 0 good, 1 below a limit or not correct. */
  run(args: string[]): Promise<number>
}

const names = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !/^main\.ts$|\.test\.ts$/.test(entry.name))
  .map(({ name }) => name.slice(0, -'.ts'.length))

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || !names.includes(name)) {
    const which = name === undefined ? 'Name a benchmark' : `There is no benchmark "${name}"`
    throw new LinkspanError('usage', `${which}: npm run bench -- NAME, where NAME is ${names.join(' or ')}`)
  }
  const bench = (await import(`./${name}.ts`)) as Bench
  return await bench.run(args)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${explainError(error)}\n`)
  process.exitCode = isLinkspanError(error) ? error.exitCode : 1
}
