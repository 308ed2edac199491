import { basename, dirname } from 'node:path'
import type { FileStat, Files, OpenFile } from './files.ts'

const uncheckedBytes = 17

/** A file's bytes as the system shows them, as they are on the platter, and what lies between. */
interface FileNode {
  kind: 'file'
  content: Buffer
  durable: Buffer
  pending: FileChange[]
  modifiedMs: number
}

interface FolderNode {
  kind: 'folder'
  content: Map<string, Node>
  durable: Map<string, Node>
  pending: FolderChange[]
}

type Node = FileNode | FolderNode
type FileChange = { kind: 'write'; position: number; bytes: Buffer } | { kind: 'truncate'; sizeBytes: number }
/** `from` is the name that a rename takes away. */
type FolderChange = { name: string; node: Node | undefined; from?: string }

export type DiskOperation = 'open' | 'write' | 'truncate' | 'sync' | 'rename' | 'remove' | 'makeFolder' | 'syncFolder'

/** Numbers from 0 up to 1, in a row that one seed always gives again. */
export type Chance = () => number

export function chanceOf(seed: number): Chance {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * Files in memory with the semantics of a real disk: what was not synced may be there after a crash, or not, or in
 * part, each write and each change of a name for itself. Operations can be made to fail, or all of them from one on.
 */
export class TestDisk implements Files {
  readonly #root: FolderNode = newFolder()
  readonly #chance: Chance
  /** Changes made so far. */
  operations = 0
  /** From this operation on nothing works: the power is gone. */
  cutAt = Number.POSITIVE_INFINITY
  /** What an operation is to fail with; undefined: it succeeds. A failed write may have written a part. */
  fault: (operation: DiskOperation, path: string) => Error | undefined = () => undefined
  nowMs = 0

  constructor(chance: Chance, root?: FolderNode) {
    this.#chance = chance
    if (root) this.#root = root
  }

  get isCut(): boolean {
    return this.operations >= this.cutAt
  }

  /** What is found when the power comes back. */
  crash(chance: Chance): TestDisk {
    return new TestDisk(chance, crashedFolder(this.#root, chance))
  }

  /**
   * The same disk for the process after this one, which was killed: what was not synced can still be lost. What a
   * failed sync has left in memory only is gone: whoever is killed before he can cut it off cannot do better.
   */
  afterKill(): TestDisk {
    this.cutAt = 0
    dropUntrue(this.#root)
    return new TestDisk(this.#chance, this.#root)
  }

  /** A copy on which all of it is synced. */
  copy(chance: Chance): TestDisk {
    return new TestDisk(
      chance,
      crashedFolder(this.#root, () => 0),
    )
  }

  open(path: string, mode: 'create' | 'existing'): OpenFile {
    this.#begin('open', path)
    const folder = this.#folder(dirname(path))
    let node = folder.content.get(basename(path))
    if (node === undefined) {
      if (mode === 'existing') throw systemError('ENOENT', path)
      node = { kind: 'file', content: Buffer.alloc(0), durable: Buffer.alloc(0), pending: [], modifiedMs: this.nowMs }
      this.#change(folder, { name: basename(path), node })
    }
    return this.#openNode(path, asFile(node, path))
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const node = await this.#find(path)
    return node?.kind === 'file' ? { sizeBytes: node.content.length, modifiedMs: node.modifiedMs } : undefined
  }

  async readFile(path: string): Promise<Buffer | undefined> {
    const node = await this.#find(path)
    return node?.kind === 'file' ? Buffer.from(node.content) : undefined
  }

  async list(folder: string): Promise<string[]> {
    const node = await this.#find(folder)
    return node?.kind === 'folder' ? [...node.content.keys()] : []
  }

  async makeFolder(folder: string): Promise<void> {
    await this.#later()
    if (this.#lookUp(folder)) return
    this.#begin('makeFolder', folder)
    if (folder === '/') return
    if (!this.#lookUp(dirname(folder))) await this.makeFolder(dirname(folder))
    this.#change(this.#folder(dirname(folder)), { name: basename(folder), node: newFolder() })
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#later()
    this.#begin('rename', from)
    const folder = this.#folder(dirname(from))
    const node = folder.content.get(basename(from))
    if (!node || dirname(from) !== dirname(to)) throw systemError('ENOENT', from)
    const there = folder.content.get(basename(to))
    if (there?.kind === 'folder' && there.content.size > 0) throw systemError('ENOTEMPTY', to)
    this.#change(folder, { name: basename(to), node, from: basename(from) })
  }

  async remove(path: string): Promise<void> {
    await this.#later()
    this.#begin('remove', path)
    const folder = this.#lookUp(dirname(path))
    if (folder?.kind !== 'folder' || !folder.content.has(basename(path))) return
    this.#change(folder, { name: basename(path), node: undefined })
  }

  async removeFolder(folder: string): Promise<void> {
    for (const name of await this.list(folder)) await this.removeFolder(`${folder}/${name}`)
    await this.remove(folder)
  }

  async syncFolder(path: string): Promise<void> {
    await this.#later()
    this.#begin('syncFolder', path)
    const folder = this.#folder(path)
    for (const change of folder.pending.splice(0)) applyToFolder(folder.durable, change)
  }

  async usableBytes(): Promise<number> {
    return 1_000_000
  }

  #openNode(path: string, node: FileNode): OpenFile {
    const readNow = (target: Uint8Array, length: number, position: number) => {
      return node.content.copy(target, 0, position, Math.min(position + length, node.content.length))
    }
    return {
      write: (buffers, position) => {
        const bytes = Buffer.concat(buffers)
        const part = this.#beginWrite('write', path, bytes.length)
        this.#changeFile(node, { kind: 'write', position, bytes: bytes.subarray(0, part.bytes) })
        if (part.error) throw part.error
      },
      readNow,
      read: async (target, length, position) => {
        await this.#later()
        return readNow(target, length, position)
      },
      truncate: (sizeBytes) => {
        this.#begin('truncate', path)
        if (sizeBytes !== node.content.length) this.#changeFile(node, { kind: 'truncate', sizeBytes })
      },
      sync: async () => {
        const syncing = new Set(node.pending)
        await this.#later()
        const changes = node.pending.filter((change) => syncing.has(change))
        try {
          this.#begin('sync', path)
        } catch (error) {
          if (this.isCut) throw error
          // What the system could not write it takes for written: a later sync says nothing of it.
          node.durable = crashedFile(node.durable, changes, this.#chance)
          node.pending = node.pending.filter((change) => !syncing.has(change))
          throw error
        }
        for (const change of changes) node.durable = applyToFile(node.durable, change)
        node.pending = node.pending.filter((change) => !syncing.has(change))
      },
      close: () => {},
    }
  }

  #beginWrite(operation: DiskOperation, path: string, bytes: number): { bytes: number; error?: unknown } {
    try {
      this.#begin(operation, path)
      return { bytes }
    } catch (error) {
      return { bytes: this.isCut ? 0 : Math.floor(this.#chance() * bytes), error }
    }
  }

  #begin(operation: DiskOperation, path: string): void {
    if (this.isCut) throw systemError('EIO', `${path} (no power)`)
    this.operations += 1
    const error = this.fault(operation, path)
    if (error) throw error
  }

  #changeFile(node: FileNode, change: FileChange): void {
    if (change.kind === 'write' && change.bytes.length === 0) return
    node.pending.push(change)
    node.content = applyToFile(node.content, change)
    node.modifiedMs = this.nowMs
  }

  #change(folder: FolderNode, change: FolderChange): void {
    folder.pending.push(change)
    applyToFolder(folder.content, change)
  }

  async #find(path: string): Promise<Node | undefined> {
    await this.#later()
    return this.#lookUp(path)
  }

  #folder(path: string): FolderNode {
    const node = this.#lookUp(path)
    if (node?.kind !== 'folder') throw systemError('ENOENT', path)
    return node
  }

  #lookUp(path: string): Node | undefined {
    let node: Node | undefined = this.#root
    for (const name of path.split('/').filter((part) => part !== '')) {
      node = node?.kind === 'folder' ? node.content.get(name) : undefined
    }
    return node
  }

  /** Calls end in another order than they began. */
  async #later(): Promise<void> {
    for (let turns = Math.floor(this.#chance() * 3); turns > 0; turns -= 1) {
      await new Promise<void>((next) => setImmediate(next))
    }
  }
}

export function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}

function newFolder(): FolderNode {
  return { kind: 'folder', content: new Map(), durable: new Map(), pending: [] }
}

function asFile(node: Node, path: string): FileNode {
  if (node.kind !== 'file') throw systemError('EISDIR', path)
  return node
}

function applyToFile(bytes: Buffer, change: FileChange): Buffer {
  if (change.kind === 'truncate') return resized(bytes, change.sizeBytes)
  const grown = resized(bytes, Math.max(bytes.length, change.position + change.bytes.length))
  grown.set(change.bytes, change.position)
  return grown
}

function resized(bytes: Buffer, sizeBytes: number): Buffer {
  const copy = Buffer.alloc(sizeBytes)
  copy.set(bytes.subarray(0, sizeBytes))
  return copy
}

function applyToFolder(names: Map<string, Node>, { name, node, from }: FolderChange): void {
  if (from !== undefined) names.delete(from)
  if (node) names.set(name, node)
  else names.delete(name)
}

function dropUntrue(folder: FolderNode): void {
  for (const node of folder.content.values()) {
    if (node.kind === 'folder') dropUntrue(node)
    else node.content = node.pending.reduce(applyToFile, node.durable)
  }
}

/** Chance 0: everything is kept. */
function crashedFolder(folder: FolderNode, chance: Chance): FolderNode {
  const names = new Map(folder.durable)
  const lost = new Set<string>()
  for (const change of folder.pending) {
    const touched = change.from === undefined ? [change.name] : [change.name, change.from]
    // A change that builds on a lost one is lost too.
    if (chance() < 0.5 && !touched.some((name) => lost.has(name))) applyToFolder(names, change)
    else for (const name of touched) lost.add(name)
  }
  const content = new Map<string, Node>()
  for (const [name, node] of names) {
    content.set(name, node.kind === 'folder' ? crashedFolder(node, chance) : crashedFileNode(node, chance))
  }
  return { kind: 'folder', content, durable: new Map(content), pending: [] }
}

function crashedFileNode(node: FileNode, chance: Chance): FileNode {
  const content = crashedFile(node.durable, node.pending, chance)
  return { kind: 'file', content, durable: content, pending: [], modifiedMs: node.modifiedMs }
}

/** Each write for itself is there, or not, or its first or its last bytes are. */
function crashedFile(durable: Buffer, pending: readonly FileChange[], chance: Chance): Buffer {
  let bytes = durable
  for (const change of pending) {
    const fate = chance()
    if (fate < 0.45 || (change.kind === 'truncate' && fate < 0.6)) bytes = applyToFile(bytes, change)
    else if (change.kind === 'write' && fate < 0.7) bytes = applyToFile(bytes, torn(change, chance))
  }
  return bytes
}

/**
 * The start of a write may be lost at any byte behind those that no CRC covers: base offset and leader epoch. Without
 * them a mirror's batch behind a gap would be taken for one at a lower offset, as by Kafka. On a real disk a page would
 * have to begin among the first seven bytes of such a batch, and the gap to cross a power of 256.
 */
function torn(change: Extract<FileChange, { kind: 'write' }>, chance: Chance): FileChange {
  const at = Math.floor(chance() * change.bytes.length)
  if (chance() < 0.5) return { ...change, bytes: change.bytes.subarray(0, at) }
  const from = Math.max(at, uncheckedBytes)
  return { ...change, position: change.position + from, bytes: change.bytes.subarray(from) }
}
