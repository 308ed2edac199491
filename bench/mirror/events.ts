import type { Codec } from '../../src/records/header.ts'

export type BenchCodec = Extract<Codec, 'none' | 'lz4' | 'zstd'>

export const eventBytes = 1024

/**
 * Records of one batch, as Kafka's own producer fills them: `batch.size` 16384 uncompressed, 65536 (of compressed
 * bytes, as the producer estimates them) for the codecs.
 */
export const recordsPerBatch: Record<BenchCodec, number> = { none: 15, lz4: 149, zstd: 184 }

const firstNames = ['Anna', 'Ben', 'Clara', 'David', 'Elif', 'Farid', 'Greta', 'Hugo', 'Ines', 'Jonas', 'Kaya', 'Lena']
const lastNames = [
  'Albrecht',
  'Bauer',
  'Castillo',
  'Dvorak',
  'Eriksen',
  'Fischer',
  'Garcia',
  'Haddad',
  'Ivanova',
  'Jung',
]
const streets = ['Hauptstrasse', 'Station Road', 'Rue de la Paix', 'Via Roma', 'Lindenallee', 'Harbour Street']
const cities = ['Hamburg', 'Leeds', 'Lyon', 'Torino', 'Graz', 'Malmo', 'Porto', 'Gdansk', 'Utrecht', 'Zagreb']
const goods = ['USB-C cable', 'Desk lamp', 'Notebook A5', 'Water bottle', 'Bike light', 'Coffee beans', 'Rain jacket']
const channels = ['web', 'app', 'store', 'phone']
const states = ['placed', 'paid', 'packed', 'shipped']
const padding = ' please leave the parcel with a neighbour if nobody answers the door, thank you'.repeat(12)

/** Small, fast and the same everywhere (mulberry32): benchmarks use the same events each time. */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  below(count: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * count)
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)] as T
  }

  hex(digits: number): string {
    let text = ''
    while (text.length < digits)
      text += this.below(2 ** 32)
        .toString(16)
        .padStart(8, '0')
    return text.slice(0, digits)
  }
}

/** One order as JSON, exactly `eventBytes` long and ASCII; it compresses about as real events do. */
export function orderEvent(dice: Dice): string {
  const order = {
    orderId: dice.hex(32),
    customerId: `c-${dice.below(2_000_000)}`,
    session: dice.hex(48),
    placedAt: `2026-03-${10 + dice.below(20)}T${10 + dice.below(14)}:${10 + dice.below(50)}:${10 + dice.below(50)}Z`,
    channel: dice.pick(channels),
    status: dice.pick(states),
    shipTo: {
      name: `${dice.pick(firstNames)} ${dice.pick(lastNames)}`,
      street: `${dice.pick(streets)} ${1 + dice.below(200)}`,
      city: dice.pick(cities),
      zip: String(10_000 + dice.below(90_000)),
    },
    lines: Array.from({ length: 3 }, () => ({
      sku: `SKU-${100_000 + dice.below(900_000)}`,
      title: dice.pick(goods),
      quantity: 1 + dice.below(4),
      unitPriceCents: 99 + dice.below(20_000),
    })),
    trace: dice.hex(64),
    signature: dice.hex(86),
    note: '',
  }
  const bare = JSON.stringify(order)
  return `${bare.slice(0, -2)}${padding.slice(0, eventBytes - bare.length)}"}`
}
