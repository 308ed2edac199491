import { mkdir, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { LinkspanError } from '../../base/errors.ts'
import type { CertificatePems } from '../../identity/certificate.ts'
import { readTextIfThere, writeFileAtomically } from '../../identity/files.ts'
import { localRemote } from '../names.ts'
import { withLock } from './lock.ts'

/** A daemon that is reached over the network, by the certificate that is pinned beside it. */
export interface Remote {
  /** `host:port`, tried side by side. */
  addresses: string[]
}

export interface RemotesConfig {
  'default-remote': string
  remotes: Record<string, Remote>
}

const remotesMax = 1000

/** Where the user's certificate, the remotes and their pins are: `LINKSPAN_CONF`, else `~/.config/linkspan`. */
export function configFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.LINKSPAN_CONF || join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'linkspan')
}

/** Files of one user: nobody else writes here, and whoever can read the key is this user. */
export class RemotesFolder {
  readonly path: string

  constructor(path: string = configFolder()) {
    this.path = path
  }

  /** Throws `invalid-config` for a file that holds something else. */
  async readConfig(): Promise<RemotesConfig> {
    const path = join(this.path, 'config.yml')
    const text = await readTextIfThere(path)
    if (text === undefined) return { 'default-remote': localRemote, remotes: {} }
    const config = (await parseText(text, path)) as Partial<RemotesConfig> | null
    const remotes = config?.remotes ?? {}
    for (const [name, remote] of Object.entries(remotes)) {
      const { addresses } = (remote ?? {}) as Partial<Remote>
      const good =
        Array.isArray(addresses) && addresses.length > 0 && addresses.every((each) => typeof each === 'string')
      if (!good) throw broken(path, `remote "${name}" has no addresses`)
    }
    return { 'default-remote': String(config?.['default-remote'] ?? localRemote), remotes }
  }

  /** Reads, changes and writes: what `change` throws leaves everything as it was. */
  async changeConfig(change: (config: RemotesConfig) => void | Promise<void>): Promise<void> {
    await this.exclusively(async () => {
      const config = await this.readConfig()
      await change(config)
      if (Object.keys(config.remotes).length > remotesMax) {
        throw new LinkspanError('too-large', `There can be at most ${remotesMax} remotes: remove some`)
      }
      // As JSON, which is YAML as well: a start needs no parser of YAML, which takes a quarter of its time.
      await this.#write('config.yml', `${JSON.stringify(config, null, 2)}\n`)
    })
  }

  /** With the certificate that it has to present. Throws `already-exists`. */
  async addRemote(name: string, remote: Remote, certificatePem: string): Promise<void> {
    await this.changeConfig(async ({ remotes }) => {
      checkNew(remotes, name)
      remotes[name] = remote
      await this.writePin(name, certificatePem)
    })
  }

  /** Throws `already-exists`. */
  async checkFree(name: string): Promise<void> {
    checkNew((await this.readConfig()).remotes, name)
  }

  /** While `work` goes on, no other command of this user changes anything here. Not within itself. */
  exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    return withLock(join(this.path, 'lock'), work)
  }

  /** Throws `usage` for one that is not there. */
  async readRemote(name: string): Promise<Remote> {
    const { remotes } = await this.readConfig()
    return ownValue(remotes, name) ?? Promise.reject(noSuchRemote(name))
  }

  /** The PEM of the certificate that the remote has to present. Throws `invalid-config` when it is gone. */
  async readPin(name: string): Promise<string> {
    const path = this.#pinPath(name)
    const pem = await readTextIfThere(path)
    if (pem !== undefined) return pem
    const wayOut = `add the remote anew, with "linkspan remote remove ${name}" and "linkspan remote add ${name} …"`
    throw new LinkspanError('invalid-config', `${path}, the pinned certificate of remote "${name}", is gone: ${wayOut}`)
  }

  writePin(name: string, certificatePem: string): Promise<void> {
    return this.#write(join('servercerts', `${name}.crt`), certificatePem)
  }

  async removePin(name: string): Promise<void> {
    await rm(this.#pinPath(name), { force: true })
  }

  /** The user's certificate and key; undefined as long as none was made. */
  async readClient(): Promise<CertificatePems | undefined> {
    const read = (file: string) => readTextIfThere(join(this.path, file))
    const [certificatePem, privateKeyPem] = await Promise.all([read('client.crt'), read('client.key')])
    if (certificatePem === undefined || privateKeyPem === undefined) return undefined
    return { certificatePem, privateKeyPem }
  }

  /** The key goes first: a certificate without its key would look like a whole pair. */
  async writeClient({ certificatePem, privateKeyPem }: CertificatePems): Promise<void> {
    await this.#write('client.key', privateKeyPem)
    await this.#write('client.crt', certificatePem)
  }

  /** Unless a remote was added with it in the meantime. */
  async removeUnusedClient(): Promise<void> {
    await this.exclusively(async () => {
      if (Object.keys((await this.readConfig()).remotes).length > 0) return
      await rm(join(this.path, 'client.crt'), { force: true })
      await rm(join(this.path, 'client.key'), { force: true })
    })
  }

  #pinPath(name: string): string {
    return join(this.path, 'servercerts', `${name}.crt`)
  }

  async #write(file: string, text: string): Promise<void> {
    const path = join(this.path, file)
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeFileAtomically(path, text)
  }
}

function checkNew(remotes: RemotesConfig['remotes'], name: string): void {
  if (!Object.hasOwn(remotes, name)) return
  const wayOut = `choose another name, or "linkspan remote remove ${name}" first`
  throw new LinkspanError('already-exists', `There is a remote "${name}" already: ${wayOut}`)
}

/** Names of the prototype are no remotes. */
function ownValue<Value>(values: Record<string, Value>, name: string): Value | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined
}

export function noSuchRemote(name: string): LinkspanError {
  const wayOut = '"linkspan remote list" shows those that there are, "linkspan remote add" makes one'
  return new LinkspanError('usage', `There is no remote "${name}": ${wayOut}`)
}

async function parseText(text: string, path: string): Promise<unknown> {
  try {
    return text.startsWith('{') ? JSON.parse(text) : (await import('yaml')).parse(text)
  } catch (cause) {
    throw broken(path, cause instanceof Error ? cause.message.split('\n')[0]! : 'it is no YAML')
  }
}

function broken(path: string, problem: string): LinkspanError {
  return new LinkspanError('invalid-config', `${path} cannot be used, ${problem}: correct it, or remove the file`)
}

const nameMax = 64

/** Throws `usage` for a name that could not be written before a colon, or is no name of a file. */
export function checkRemoteName(name: string): void {
  if (name === localRemote) {
    throw new LinkspanError('usage', `"${localRemote}" is the daemon of this machine: choose another name`)
  }
  if (/^[\p{L}\p{N}_][\p{L}\p{N}_.-]*$/u.test(name) && name.length <= nameMax) return
  const sentence = `"${name}" cannot be the name of a remote: use up to ${nameMax} letters, digits, ".", "_" and "-"`
  throw new LinkspanError('usage', sentence)
}
