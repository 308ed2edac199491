import { parseArgs } from 'node:util'
import { LinkspanError } from '../../src/base/errors.ts'
import type { PumpSettings } from '../../src/mirror/pump/settings.ts'
import type { BenchCodec } from './events.ts'

/**
 * What copies: a daemon straight to both Kafkas; two daemons joined by the TLS tunnel; the pump alone in a process of
 * its own; MirrorMaker 2.
 */
export const mirrorKinds = ['tunnel', 'direct', 'pump', 'mm2'] as const
export type MirrorKind = (typeof mirrorKinds)[number]

export interface BenchOptions {
  codecs: BenchCodec[]
  pairs: number
  records: number
  /** 0: windows are as long as `records` makes them. */
  secondsMin: number
  kinds: MirrorKind[]
  strict: boolean
  jsonFile: string | undefined
  mirrorMakerHeapMb: number
  /** Of the pump alone, instead of its defaults. */
  pumpSettings: Partial<PumpSettings>
  /** CPU profiles of our own processes go there. */
  profileFolder: string | undefined
}

export const usage = `npm run bench -- mirror [flags]

  --codec none,lz4,zstd  which data
  --pairs N              measured pairs of each codec (3)
  --records N            order events of 1024 B (2000000)
  --seconds-min N        as many more records as make our windows N seconds long
  --only KIND,...        of tunnel, direct, pump, mm2 (tunnel, direct and mm2)
  --skip-mm2             without MirrorMaker 2
  --strict               pairs with other load on the machine are repeated, up to three times as many
  --mm2-heap-mb N        of MirrorMaker 2 (2048, as its own script has it)
  --pump-settings JSON   of "--only pump": what is tried out instead of the defaults
  --profile DIR          writes CPU profiles of our own processes; figures are of no use then
  --json FILE            the JSON line goes there too
`

const flags = {
  codec: { type: 'string', default: 'none,lz4,zstd' },
  pairs: { type: 'string', default: '3' },
  records: { type: 'string', default: '2000000' },
  'seconds-min': { type: 'string', default: '0' },
  only: { type: 'string', default: 'tunnel,direct,mm2' },
  'skip-mm2': { type: 'boolean', default: false },
  strict: { type: 'boolean', default: false },
  'mm2-heap-mb': { type: 'string', default: '2048' },
  'pump-settings': { type: 'string', default: '{}' },
  profile: { type: 'string' },
  json: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

/** Undefined when only help is wanted. Errors: `usage`. */
export function parseOptions(args: string[]): BenchOptions | undefined {
  const values = parsed(args)
  if (values.help) return undefined
  const kinds = listed('--only', values.only, mirrorKinds).filter((kind) => kind !== 'mm2' || !values['skip-mm2'])
  if (kinds.length === 0) throw new LinkspanError('usage', 'Nothing is left to be measured')
  return {
    codecs: listed('--codec', values.codec, ['none', 'lz4', 'zstd']),
    pairs: count('--pairs', values.pairs, 1),
    records: count('--records', values.records, 1000),
    secondsMin: count('--seconds-min', values['seconds-min'], 0),
    kinds,
    strict: values.strict,
    jsonFile: values.json,
    mirrorMakerHeapMb: count('--mm2-heap-mb', values['mm2-heap-mb'], 256),
    pumpSettings: settings(values['pump-settings']),
    profileFolder: values.profile,
  }
}

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options: flags, strict: true }).values
  } catch (cause) {
    throw new LinkspanError('usage', `${(cause as Error).message}\n\n${usage}`)
  }
}

function settings(text: string): Partial<PumpSettings> {
  try {
    return JSON.parse(text) as Partial<PumpSettings>
  } catch (cause) {
    throw new LinkspanError('usage', `--pump-settings takes JSON, not ${text}`, { cause })
  }
}

function listed<T extends string>(flag: string, text: string, known: readonly T[]): T[] {
  const names = text.split(',')
  const unknown = names.find((name) => !known.some((one) => one === name))
  if (unknown !== undefined) {
    throw new LinkspanError('usage', `${flag} has "${unknown}": it takes ${known.join(', ')}, parted by commas`)
  }
  return known.filter((one) => names.includes(one))
}

function count(flag: string, text: string, min: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value
  throw new LinkspanError('usage', `${flag} takes a whole number from ${min} on, not "${text}"`)
}
