import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory, writeFileAtomically } from '../identity/files.ts'

/** `DIR/ready.json`: scripts wait for it. DESIGN §9 fixes its members. */
export interface Ready {
  pid: number
  version: string
  /** `host:port` of the TLS port. */
  https: string
  /** `host:port` of the first bootstrap server of the Kafka that is fronted. */
  kafka: string
  /** Of the certificate that the port serves. */
  fingerprint: string
  clusterId: string
  /** Null until the Kafka has answered for the first time; the file is then written anew. */
  kafkaClusterId: string | null
}

export class ReadyFile {
  readonly #path: string
  readonly #directory: string
  #removed = false
  #writing: Promise<void> = Promise.resolve()

  constructor(directory: string) {
    this.#directory = directory
    this.#path = join(directory, 'ready.json')
  }

  /** One after another, and none once it is removed. */
  write(ready: Ready): Promise<void> {
    const text = `${JSON.stringify(ready, null, 2)}\n`
    const written = this.#writing.then(() => (this.#removed ? undefined : writeFileAtomically(this.#path, text)))
    this.#writing = written.catch(() => {})
    return written
  }

  /** One of a daemon that was killed would say that this one is ready. */
  async clear(): Promise<void> {
    await rm(this.#path, { force: true })
    await syncDirectory(this.#directory)
  }

  async remove(): Promise<void> {
    this.#removed = true
    await this.#writing
    await this.clear()
  }
}
