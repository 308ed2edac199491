import { readFileSync } from 'node:fs'

const packagePath = new URL('../../package.json', import.meta.url)

/** Of this program. */
export const version = (JSON.parse(readFileSync(packagePath, 'utf8')) as { version: string }).version
