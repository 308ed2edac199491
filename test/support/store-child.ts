import { silentLog } from '../../src/base/log.ts'
import { openStore } from '../../src/store/store.ts'
import { defineTable } from '../../src/store/table.ts'

/**
 * A process that writes as fast as it can, `lanes` commands at a time, and prints the number of each batch once it is
 * acknowledged: `node store-child.ts DIRECTORY LANES TEXT_CHARACTERS`. Ends at the first failure, telling its code.
 */
export const parts = ['head', 'body', 'tail'].map((name) => defineTable<{ batch: number; text: string }>(name, 1))
/** Older batches are removed by the batch that displaces them. */
export const batchesKept = 1000
export const counters = defineTable<{ batch: number }>('counter', 1)

async function main(directory: string, lanes: number, characters: number): Promise<void> {
  await using store = await openStore({ directory, log: silentLog, tables: [...parts, counters] })
  process.stdout.write('open\n')
  const text = 'x'.repeat(characters)
  const write = () => {
    return store.execute('batch', (rows) => {
      const batch = (rows.get(counters, 'last')?.batch ?? 0) + 1
      const changes = parts.map((part) => part.put(`${batch}`, { batch, text }))
      const old = batch > batchesKept ? parts.map((part) => part.remove(`${batch - batchesKept}`)) : []
      return { changes: [...changes, ...old, counters.put('last', { batch })], result: batch }
    })
  }
  const run = async () => {
    for (;;) process.stdout.write(`${await write()}\n`)
  }
  await Promise.all(Array.from({ length: lanes }, run)).catch((error: { code?: string; message?: string }) => {
    process.stdout.write(`failed ${error.code} ${error.message}\n`)
  })
}

if (import.meta.main) {
  const [directory, lanes, characters] = process.argv.slice(2)
  await main(directory!, Number(lanes), Number(characters))
}
