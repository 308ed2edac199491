import { readFile } from 'node:fs/promises'
import { inflateRawSync } from 'node:zlib'

const endMarker = 0x06054b50
const entryMarker = 0x02014b50
/** The fixed part of the end record, and the longest comment that may follow it. */
const endBytes = 22
const commentBytesMax = 0xffff

/** The text of those entries of a jar whose name passes, by name. A jar is a zip file: Node alone can read it. */
export async function jarEntries(path: string, wanted: (name: string) => boolean): Promise<Map<string, string>> {
  const jar = await readFile(path)
  const end = findEnd(jar)
  if (end < 0) throw new Error(`${path} is not a zip file`)
  const texts = new Map<string, string>()
  let at = jar.readUInt32LE(end + 16)
  for (let left = jar.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (jar.readUInt32LE(at) !== entryMarker) throw new Error(`${path} has a broken directory at ${at}`)
    const nameBytes = jar.readUInt16LE(at + 28)
    const name = jar.toString('utf8', at + 46, at + 46 + nameBytes)
    if (wanted(name)) texts.set(name, entryText(jar, at))
    at += 46 + nameBytes + jar.readUInt16LE(at + 30) + jar.readUInt16LE(at + 32)
  }
  return texts
}

function findEnd(jar: Buffer): number {
  const lowest = Math.max(0, jar.length - endBytes - commentBytesMax)
  for (let at = jar.length - endBytes; at >= lowest; at -= 1) {
    if (jar.readUInt32LE(at) === endMarker) return at
  }
  return -1
}

function entryText(jar: Buffer, entry: number): string {
  const method = jar.readUInt16LE(entry + 10)
  const storedBytes = jar.readUInt32LE(entry + 20)
  const local = jar.readUInt32LE(entry + 42)
  const start = local + 30 + jar.readUInt16LE(local + 26) + jar.readUInt16LE(local + 28)
  const stored = jar.subarray(start, start + storedBytes)
  return (method === 0 ? stored : inflateRawSync(stored)).toString('utf8')
}
